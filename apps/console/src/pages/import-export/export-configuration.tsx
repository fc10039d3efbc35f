import { Button, Group, Radio, Stack } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { exportQuery, type SecretsInExport } from '../../api/configuration.js';
import { CodeBlock } from '../../parts/code-block.js';
import { download } from '../../parts/download.js';
import { Loaded } from '../../parts/loaded.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { Section } from '../../parts/section.js';
import { configurationFile } from './configuration-text.js';

/** The configuration as it is, to be taken along. */
export function ExportConfiguration() {
  const [secrets, setSecrets] = useState<SecretsInExport>('references');
  const query = useQuery(exportQuery(secrets));
  const file = query.data === undefined ? '' : configurationFile(query.data, location.origin);
  return (
    <Section title="Export" lead="No secret is in it. Names tell objects apart; ids and versions stay here.">
      <Group justify="space-between" align="flex-end">
        <Radio.Group label="Where a secret would stand" value={secrets} onChange={setSecrets}>
          <Stack gap={8} mt={8}>
            <Radio
              value="references"
              label="A reference, ${env:NAME}"
              description="For assent apply, which puts in what it stands for."
            />
            <Radio
              value="left-out"
              label="Nothing"
              description="To be applied where the secrets are already, on this page too."
            />
          </Stack>
        </Radio.Group>
        <Button
          leftSection={<IconDownload size={16} aria-hidden />}
          disabled={query.data === undefined}
          onClick={() => download('assent.yaml', file, 'application/yaml')}
        >
          Download YAML
        </Button>
      </Group>
      <Loaded query={query} skeleton={<RowsSkeleton />}>
        {() => <CodeBlock value={file} what="the configuration" />}
      </Loaded>
    </Section>
  );
}
