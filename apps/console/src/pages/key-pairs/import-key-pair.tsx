import { FileInput, Group, PasswordInput, SegmentedControl, Text, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { keyPairImport, type KeyPair, type KeyPairImport } from '#lib/contracts';
import { keyPairs } from '../../api/key-pairs.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { FileText } from '../../parts/file-text.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';

export interface KeyPairDialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onDone: (keyPair: KeyPair) => void;
}

interface ImportValues {
  alias: string;
  format: 'pem' | 'pkcs12';
  certificate: string;
  privateKey: string;
  file: File | null;
  pkcs12: string;
  password: string;
}

const empty: ImportValues = {
  alias: '',
  format: 'pem',
  certificate: '',
  privateKey: '',
  file: null,
  pkcs12: '',
  password: '',
};

function importOf({ alias, format, certificate, privateKey, pkcs12, password }: ImportValues): KeyPairImport {
  return {
    alias,
    ...(format === 'pem' ? { pem: { certificate, privateKey } } : { pkcs12 }),
    ...(password !== '' && { password }),
  };
}

const fieldOf = (pointer: string): string | null => {
  const field = pointer.replace(/^\/pem\//, '/').slice(1);
  if (field === 'pem') return 'certificate';
  return field === 'pkcs12' ? 'file' : Object.hasOwn(empty, field) ? field : null;
};

/** A file as the API takes it. */
async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Takes in a certificate with its private key, as PEM or PKCS#12. */
export function ImportKeyPair({ opened, onClose, onDone }: KeyPairDialogProps) {
  const form = useForm<ImportValues>({ mode: 'controlled', initialValues: empty });
  const create = keyPairs.useCreate();
  const dialog = useDialogForm({
    form,
    schema: keyPairImport,
    bodyOf: importOf,
    fieldOf,
    send: (body) => create.mutateAsync(body),
    onDone: (keyPair) => {
      onClose();
      onDone(keyPair);
    },
  });
  const { format } = form.getValues();
  return (
    <FormDialog opened={opened} onClose={onClose} title="Import a key pair" action="Import" size="lg" form={dialog}>
      <TextInput label="Alias" withAsterisk maxLength={64} data-autofocus {...form.getInputProps('alias')} />
      <SegmentedControl
        aria-label="Format"
        data={[
          { value: 'pem', label: 'PEM' },
          { value: 'pkcs12', label: 'PKCS#12' },
        ]}
        {...form.getInputProps('format')}
      />
      {format === 'pem' ? (
        <>
          <PemField
            label="Certificate"
            description="The certificate first, then its chain."
            onText={(text) => form.setFieldValue('certificate', text)}
            props={form.getInputProps('certificate')}
          />
          <PemField
            label="Private Key"
            description="It may be encrypted; then give its password."
            onText={(text) => form.setFieldValue('privateKey', text)}
            props={form.getInputProps('privateKey')}
          />
        </>
      ) : (
        <FileInput
          label="PKCS#12 File"
          withAsterisk
          size="sm"
          accept=".p12,.pfx,application/x-pkcs12"
          placeholder="Choose a .p12 or .pfx file"
          clearable
          {...form.getInputProps('file')}
          onChange={(file) => {
            form.setFieldValue('file', file);
            if (file === null) form.setFieldValue('pkcs12', '');
            else void base64Of(file).then((text) => form.setFieldValue('pkcs12', text));
          }}
        />
      )}
      <PasswordInput
        label="Password"
        description="Of the file or the key; empty when it has none."
        autoComplete="off"
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
        {...form.getInputProps('password')}
      />
    </FormDialog>
  );
}

interface PemFieldProps {
  readonly label: string;
  readonly description: string;
  readonly onText: (text: string) => void;
  readonly props: object;
}

/** A field for PEM text, pasted or read from a file. */
export function PemField({ label, description, onText, props }: PemFieldProps) {
  return (
    <div>
      <Group justify="space-between" align="flex-end" mb={2}>
        <Text fz="sm" fw={600} aria-hidden>
          {label}
        </Text>
        <FileText what={`the ${label.toLowerCase()}`} accept=".pem,.crt,.cer,.key,.txt" onText={onText} />
      </Group>
      <Textarea
        aria-label={label}
        description={description}
        inputWrapperOrder={['input', 'description', 'error']}
        placeholder={`-----BEGIN ${label.toUpperCase()}-----`}
        minRows={4}
        maxRows={9}
        spellCheck={false}
        autoComplete="off"
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: '0.75rem' } }}
        {...props}
      />
    </div>
  );
}
