import { Tabs } from '@mantine/core';
import { PageHeader } from '../../parts/page-header.js';
import { useFilters } from '../../parts/use-filters.js';
import { useMayWrite } from '../../shell/session.js';
import { ApplyConfiguration } from './apply-configuration.js';
import { ExportConfiguration } from './export-configuration.js';
import { PingAccessWizard } from './pingaccess-wizard.js';

/** Settings › Import/Export. */
export function ImportExportPage() {
  const [{ tab }, change] = useFilters(['tab']);
  const mayWrite = useMayWrite();
  const shown = mayWrite && ['apply', 'pingaccess'].includes(tab) ? tab : 'export';
  return (
    <>
      <PageHeader
        title="Import/Export"
        path={[{ label: 'Settings' }]}
        lead="The whole configuration as one document: to keep it in a repository, to bring it to another installation, or to come here from PingAccess."
      />
      <Tabs
        value={shown}
        onChange={(value) => change({ tab: value === 'export' ? '' : (value ?? '') })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="export">Export</Tabs.Tab>
          {mayWrite && <Tabs.Tab value="apply">Apply</Tabs.Tab>}
          {mayWrite && <Tabs.Tab value="pingaccess">From PingAccess</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="export">
          <ExportConfiguration />
        </Tabs.Panel>
        {mayWrite && (
          <>
            <Tabs.Panel value="apply">
              <ApplyConfiguration />
            </Tabs.Panel>
            <Tabs.Panel value="pingaccess">
              <PingAccessWizard />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
    </>
  );
}
