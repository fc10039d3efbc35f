import { NumberInput, Select, SimpleGrid, TagsInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { keyPairGeneration, keyPairImport, type KeyPairImport } from '#lib/contracts';
import { keyPairs } from '../../api/key-pairs.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';
import { distinguishedName, nameParts, type NamePart } from './distinguished-name.js';
import type { KeyPairDialogProps } from './import-key-pair.js';

interface GenerateValues {
  alias: string;
  subject: Record<NamePart, string>;
  keyAlgorithm: string;
  validDays: number | string;
  subjectAlternativeNames: string[];
}

const empty: GenerateValues = {
  alias: '',
  subject: { CN: '', O: '', OU: '', L: '', ST: '', C: '' },
  keyAlgorithm: 'EC P-256',
  validDays: 365,
  subjectAlternativeNames: [],
};

const generationOf = ({ alias, subject, keyAlgorithm, validDays, ...rest }: GenerateValues): KeyPairImport => ({
  alias,
  generate: {
    subject: distinguishedName(subject),
    keyAlgorithm: keyAlgorithm as 'EC P-256',
    validDays: validDays as number,
    ...rest,
  },
});

const fieldOf = (pointer: string): string | null => {
  const [, first = '', second = ''] = pointer.split('/');
  const field = first === 'generate' ? second : first;
  if (field === 'subject') return 'subject.CN';
  return Object.hasOwn(empty, field) ? field : null;
};

/** Makes a new key here, with a certificate that it signs itself until an authority has issued one. */
export function GenerateKeyPair({ opened, onClose, onDone }: KeyPairDialogProps) {
  const form = useForm<GenerateValues>({ mode: 'controlled', initialValues: empty });
  const create = keyPairs.useCreate();
  const dialog = useDialogForm({
    form,
    schema: keyPairImport,
    bodyOf: generationOf,
    fieldOf,
    send: (body) => create.mutateAsync(body),
    onDone: (keyPair) => {
      onClose();
      onDone(keyPair);
    },
  });
  return (
    <FormDialog opened={opened} onClose={onClose} title="Generate a key pair" action="Generate" size="lg" form={dialog}>
      <TextInput label="Alias" withAsterisk maxLength={64} data-autofocus {...form.getInputProps('alias')} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {nameParts.map(([part, label]) => (
          <TextInput
            key={part}
            label={label}
            withAsterisk={part === 'CN'}
            maxLength={part === 'C' ? 2 : 64}
            {...form.getInputProps(`subject.${part}`)}
          />
        ))}
      </SimpleGrid>
      <TagsInput
        label="Subject Alternative Names"
        description="With their kind: DNS:client.example, URI:…, IP:…, email:…"
        {...form.getInputProps('subjectAlternativeNames')}
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select
          label="Key Algorithm"
          data={keyPairGeneration.shape.keyAlgorithm.unwrap().options}
          {...form.getInputProps('keyAlgorithm')}
        />
        <NumberInput label="Valid Days" {...form.getInputProps('validDays')} />
      </SimpleGrid>
    </FormDialog>
  );
}
