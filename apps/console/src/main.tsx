import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './shell/global.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { config } from 'zod/v4/core';
import { queryClient } from './api/query-client.js';
import { createRouter } from './shell/routes.js';
import { colorSchemeManager, theme } from './shell/theme.js';

// Schemas are interpreted: compiled ones would need a policy that lets scripts make scripts.
config({ jitless: true });

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
// Of the style that keeps the page from scrolling below a dialog.
setNonce(nonce);

createRoot(document.getElementById('root')!).render(
  <MantineProvider
    theme={theme}
    defaultColorScheme="auto"
    colorSchemeManager={colorSchemeManager}
    getStyleNonce={() => nonce}
  >
    <Notifications position="bottom-right" autoClose={5000} />
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={createRouter()} />
    </QueryClientProvider>
  </MantineProvider>,
);
