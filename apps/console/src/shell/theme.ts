import {
  Alert,
  Badge,
  Button,
  createTheme,
  localStorageColorSchemeManager,
  Menu,
  Modal,
  Notification,
  NumberInput,
  Paper,
  PasswordInput,
  Select,
  Switch,
  Table,
  TagsInput,
  Textarea,
  TextInput,
  Tooltip,
  type MantineColorsTuple,
} from '@mantine/core';

const teal: MantineColorsTuple = [
  '#edf9f6',
  '#d9f1eb',
  '#b0e3d7',
  '#84d3c2',
  '#5fd0c0',
  '#37ab98',
  '#1f9483',
  '#128071',
  '#0b6e63',
  '#06544b',
];

const gray: MantineColorsTuple = [
  '#f7f8f8',
  '#eff1f3',
  '#e3e7ea',
  '#d5dbe0',
  '#c0c8d0',
  '#8f9ba7',
  '#5a6673',
  '#434e59',
  '#2b343d',
  '#1a2129',
];

const dark: MantineColorsTuple = [
  '#dde3e9',
  '#b9c3cd',
  '#9fabb7',
  '#6e7b88',
  '#3c4753',
  '#2d3742',
  '#1f272f',
  '#151b21',
  '#10151a',
  '#0b0f13',
];

/** How the console looks; the colours are those of the documentation pages. */
export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: 8,
  autoContrast: true,
  colors: { teal, gray, dark },
  defaultRadius: 'md',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.84375rem', md: '0.9375rem', lg: '1.0625rem', xl: '1.25rem' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Alert: Alert.extend({ defaultProps: { variant: 'light' } }),
    Badge: Badge.extend({ defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 600 } }),
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    // Inside of the page's main part, for those who go from part to part.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, portalProps: { target: '#content' } } }),
    Modal: Modal.extend({
      styles: { title: { fontWeight: 650, lineHeight: 1.3 } },
      defaultProps: { centered: true, radius: 'lg', overlayProps: { backgroundOpacity: 0.45 } },
    }),
    // No banner: the page has one already.
    ModalHeader: { defaultProps: { component: 'div' } },
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } }),
    NumberInput: NumberInput.extend({ defaultProps: { size: 'sm', hideControls: true } }),
    Paper: Paper.extend({ defaultProps: { withBorder: true, radius: 'lg' } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'sm' } }),
    Select: Select.extend({
      styles: { input: { textOverflow: 'ellipsis' } },
      defaultProps: {
        size: 'sm',
        allowDeselect: false,
        checkIconPosition: 'right',
        maxDropdownHeight: 300,
        comboboxProps: { portalProps: { target: '#content' } },
      },
    }),
    Switch: Switch.extend({ defaultProps: { size: 'sm', withThumbIndicator: false } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 10, horizontalSpacing: 'md' } }),
    TagsInput: TagsInput.extend({ defaultProps: { size: 'sm' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    Textarea: Textarea.extend({ defaultProps: { size: 'sm', autosize: true, minRows: 2 } }),
    Tooltip: Tooltip.extend({ defaultProps: { events: { hover: true, focus: true, touch: true }, openDelay: 200 } }),
  },
});

/** Where the choice of light or dark is kept; `index.html` reads it before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'assent.color-scheme' });
