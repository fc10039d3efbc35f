import { Alert, Anchor, Button, Group, List, Stack, Text, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconCertificate, IconDownload, IconFileText, IconPencil } from '@tabler/icons-react';
import { certificateReplacement, keyPairPatch, type KeyPair } from '#lib/contracts';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { keyPairs, useCertificateRequest, useReplaceCertificate } from '../../api/key-pairs.js';
import { CodeBlock } from '../../parts/code-block.js';
import { Copyable } from '../../parts/copy-button.js';
import { tellDone } from '../../parts/done.js';
import { download, fileNameOf } from '../../parts/download.js';
import { Facts } from '../../parts/facts.js';
import { FormDialog } from '../../parts/form-dialog.js';
import { Moment } from '../../parts/moment.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { Section } from '../../parts/section.js';
import { StoredPage } from '../../parts/stored-page.js';
import { useDialogForm } from '../../parts/use-dialog-form.js';
import { useMayWrite } from '../../shell/session.js';
import { PemField } from './import-key-pair.js';
import { KeyPairStatus } from './key-pair-status.js';

const listPath = '/security/key-pairs';

/** Security › Key Pairs › one of them. */
export function KeyPairPage() {
  const { id = '' } = useParams();
  const mayWrite = useMayWrite();
  const [dialog, setDialog] = useState<'rename' | 'certificate' | null>(null);
  const close = (): void => setDialog(null);
  return (
    <StoredPage
      key={id}
      id={id}
      resource={keyPairs}
      noun="key pair"
      nameOf={({ alias }) => alias}
      path={[{ label: 'Security' }, { label: 'Key Pairs', to: listPath }]}
      listPath={listPath}
      removal="and its private key will be gone for good."
      head={({ status, notAfter }) => ({
        state: <KeyPairStatus status={status} />,
        lead: (
          <>
            Its certificate ends <Moment at={notAfter} full />
          </>
        ),
        actions: mayWrite && (
          <Button
            variant="default"
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => setDialog('rename')}
          >
            Rename
          </Button>
        ),
      })}
    >
      {(keyPair) => (
        <>
          <ShownKeyPair keyPair={keyPair} onReplace={() => setDialog('certificate')} />
          <Rename key={keyPair.version} keyPair={keyPair} opened={dialog === 'rename'} onClose={close} />
          <ReplaceCertificate keyPair={keyPair} opened={dialog === 'certificate'} onClose={close} />
        </>
      )}
    </StoredPage>
  );
}

interface ShownKeyPairProps {
  readonly keyPair: KeyPair;
  readonly onReplace: () => void;
}

function ShownKeyPair({ keyPair, onReplace }: ShownKeyPairProps) {
  const mayWrite = useMayWrite();
  const csr = useCertificateRequest();
  const { alias, usedBy } = keyPair;
  return (
    <Stack gap="md">
      {keyPair.warnings.length > 0 && (
        <Alert color="yellow" title="Good to know">
          <List fz="sm">
            {keyPair.warnings.map((warning) => (
              <List.Item key={warning}>{warning}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Section title="Certificate">
        <Facts
          of={[
            ['Subject', keyPair.subject],
            ['Alternative names', keyPair.subjectAlternativeNames.join(', ') || '—'],
            ['Issuer', keyPair.issuer === keyPair.subject ? 'itself' : keyPair.issuer],
            ['Valid from', <Moment key="from" at={keyPair.notBefore} full />],
            ['Valid until', <Moment key="until" at={keyPair.notAfter} full />],
            ['Key', keyPair.keyAlgorithm],
            ['Serial number', <code key="serial">{keyPair.serialNumber}</code>],
            ['SHA-256', <Copyable key="sha" value={keyPair.sha256Fingerprint} what="the fingerprint" />],
          ]}
        />
        <CodeBlock value={keyPair.certificateChain.join('\n').trim()} what="the certificate and its chain" />
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() => download(`${fileNameOf(alias)}.pem`, keyPair.certificateChain.join('\n'))}
          >
            Download
          </Button>
          {mayWrite && (
            <Button variant="default" leftSection={<IconCertificate size={16} aria-hidden />} onClick={onReplace}>
              Replace the certificate
            </Button>
          )}
        </Group>
      </Section>
      <Section
        title="Certificate request"
        lead="For your authority: it names the same subject, and is signed by the key that stays here."
      >
        {csr.error && <ProblemAlert error={csr.error} />}
        {csr.data && <CodeBlock value={csr.data.trim()} what="the certificate request" />}
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconFileText size={16} aria-hidden />}
            loading={csr.isPending}
            onClick={() => csr.mutate(keyPair.id)}
          >
            {csr.data ? 'Create it again' : 'Create CSR'}
          </Button>
          {csr.data && (
            <Button
              variant="default"
              leftSection={<IconDownload size={16} aria-hidden />}
              onClick={() => download(`${fileNameOf(alias)}.csr`, csr.data)}
            >
              Download
            </Button>
          )}
        </Group>
      </Section>
      <Section title="Used by">
        {usedBy.rules.length === 0 ? (
          <Text fz="sm" c="dimmed">
            No rule uses it.
          </Text>
        ) : (
          <List fz="sm">
            {usedBy.rules.map(({ id, name }) => (
              <List.Item key={id}>
                <Anchor component={Link} to={`/access/rules/${id}`} fz="sm">
                  {name}
                </Anchor>
              </List.Item>
            ))}
          </List>
        )}
      </Section>
    </Stack>
  );
}

interface DialogProps {
  readonly keyPair: KeyPair;
  readonly opened: boolean;
  readonly onClose: () => void;
}

function Rename({ keyPair, opened, onClose }: DialogProps) {
  const form = useForm({ mode: 'controlled', initialValues: { alias: keyPair.alias } });
  const change = keyPairs.useChange();
  const dialog = useDialogForm({
    form,
    schema: keyPairPatch,
    bodyOf: (values) => values,
    fieldOf: (pointer) => (pointer === '/alias' ? 'alias' : null),
    send: (body) => change.mutateAsync({ id: keyPair.id, version: keyPair.version, body }),
    onDone: () => {
      tellDone('It is renamed.');
      onClose();
    },
  });
  return (
    <FormDialog opened={opened} onClose={onClose} title="Rename the key pair" action="Rename" form={dialog}>
      <TextInput label="Alias" maxLength={64} data-autofocus {...form.getInputProps('alias')} />
    </FormDialog>
  );
}

function ReplaceCertificate({ keyPair, opened, onClose }: DialogProps) {
  const form = useForm({ mode: 'controlled', initialValues: { certificate: '' } });
  const replace = useReplaceCertificate();
  const dialog = useDialogForm({
    form,
    schema: certificateReplacement,
    bodyOf: (values) => values,
    fieldOf: (pointer) => (pointer.startsWith('/certificate') ? 'certificate' : null),
    send: (body) => replace.mutateAsync({ id: keyPair.id, version: keyPair.version, body }),
    onDone: () => {
      tellDone('The certificate is replaced.');
      onClose();
    },
  });
  return (
    <FormDialog
      opened={opened}
      onClose={onClose}
      title="Replace the certificate"
      action="Replace"
      size="lg"
      form={dialog}
    >
      <Text fz="sm">
        Paste what your authority has issued for this key. The private key stays; requests that are under way go on.
      </Text>
      <PemField
        label="Certificate"
        description="The certificate first, then its chain."
        onText={(text) => form.setFieldValue('certificate', text)}
        props={form.getInputProps('certificate')}
      />
    </FormDialog>
  );
}
