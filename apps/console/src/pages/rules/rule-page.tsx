import { Button } from '@mantine/core';
import { IconFlask2 } from '@tabler/icons-react';
import { Link, useParams, useSearchParams } from 'react-router';
import type { Rule } from '#lib/contracts';
import { rules } from '../../api/rules.js';
import { Loaded } from '../../parts/loaded.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { StoredPage } from '../../parts/stored-page.js';
import { RuleForm } from './rule-form.js';
import { newRuleValues, valuesOf } from './rule-values.js';
import { whatRemovalMeans } from './rule-words.js';

const listPath = '/access/rules';
const path = [{ label: 'Access' }, { label: 'Rules', to: listPath }];

/** Access › Rules › Add Rule, and one rule. */
export function RulePage() {
  const { id = '' } = useParams();
  const [search] = useSearchParams();
  const copied = search.get('copy');
  if (id !== 'new') return <StoredRule key={id} id={id} />;
  return copied === null ? <NewRule copied={null} /> : <CopyOfRule id={copied} />;
}

function CopyOfRule({ id }: { readonly id: string }) {
  const query = rules.useOne(id);
  return (
    <Loaded query={query} skeleton={<PageSkeleton whole />}>
      {(rule) => <NewRule copied={rule} />}
    </Loaded>
  );
}

function NewRule({ copied }: { readonly copied: Rule | null }) {
  const values = copied ? { ...valuesOf(copied), name: `${copied.name} (copy)`.slice(0, 64) } : newRuleValues;
  return (
    <>
      <PageHeader
        title="Add Rule"
        path={path}
        lead={
          copied ? (
            <>A copy of {copied.name}. Its client secret does not come along: give it again.</>
          ) : (
            'Ask one person for one approval, through a client at your token provider.'
          )
        }
      />
      <RuleForm rule={null} values={values} />
    </>
  );
}

function StoredRule({ id }: { readonly id: string }) {
  return (
    <StoredPage
      id={id}
      resource={rules}
      noun="rule"
      nameOf={({ name }) => name}
      path={path}
      listPath={listPath}
      removal={whatRemovalMeans}
      head={({ enabled }) => ({
        state: <StatusBadge tone={enabled ? 'good' : 'quiet'}>{enabled ? 'Enabled' : 'Disabled'}</StatusBadge>,
        actions: (
          <Button
            component={Link}
            to={`/test-rule/${id}`}
            variant="default"
            leftSection={<IconFlask2 size={16} aria-hidden />}
          >
            Test
          </Button>
        ),
      })}
    >
      {(rule) => <RuleForm rule={rule} values={valuesOf(rule)} />}
    </StoredPage>
  );
}
