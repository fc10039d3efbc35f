import { Alert, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { RulePreview } from '#lib/contracts';
import { CodeBlock } from '../../parts/code-block.js';
import { Section } from '../../parts/section.js';

/** The request that would go to the provider, as text; or why there would be none. */
export function PreviewedRequest({ preview: { request, problem, bindingMessage } }: { readonly preview: RulePreview }) {
  if (request === null) {
    return (
      <Alert color="yellow" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />}>
        {problem?.kind === 'unavailable' ? 'The provider cannot be reached' : 'Rule and provider do not fit'}:{' '}
        {problem?.detail}. Nobody would be asked.
      </Alert>
    );
  }
  const { method, url, headers, form, signed, clientCertificate } = request;
  const lines = [
    `${method} ${url}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    ...Object.entries(form).map(([name, value]) => `${name}=${value}`),
  ];
  return (
    <Section
      title="What would be sent"
      lead={
        <>
          Composed by the code that sends it; secrets and signatures are left out. The person would read{' '}
          {bindingMessage === null ? 'no message' : <q>{bindingMessage}</q>}.
          {clientCertificate && ' The connection shows the client certificate.'}
        </>
      }
    >
      <CodeBlock value={lines.join('\n')} what="the request" />
      {Object.entries(signed).map(([name, said]) => (
        <div key={name}>
          <Text fz="sm" fw={600} mb={4}>
            {name} says
          </Text>
          <CodeBlock value={JSON.stringify(said, null, 2)} what={`what ${name} says`} />
        </div>
      ))}
    </Section>
  );
}
