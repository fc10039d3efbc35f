import { Button } from '@mantine/core';
import { IconFlask2, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import type { Rule } from '#lib/contracts';
import { rules } from '../../api/rules.js';
import { Moment } from '../../parts/moment.js';
import { PageHeader } from '../../parts/page-header.js';
import { PageSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { StatusBadge } from '../../parts/status-badge.js';
import { useMayWrite } from '../../shell/session.js';
import { RuleForm } from './rule-form.js';
import { newRuleValues, valuesOf } from './rule-values.js';
import { DeleteRule } from './rules-page.js';

const path = [{ label: 'Access' }, { label: 'Rules', to: '/access/rules' }];

/** Access › Rules › Add Rule, and one rule. */
export function RulePage() {
  const { id = '' } = useParams();
  const [search] = useSearchParams();
  const copied = search.get('copy');
  if (id !== 'new') return <StoredRule key={id} id={id} />;
  return copied === null ? <NewRule copied={null} /> : <CopyOfRule id={copied} />;
}

function CopyOfRule({ id }: { readonly id: string }) {
  const { data, error } = rules.useOne(id);
  if (error) return <ProblemAlert error={error} />;
  return data ? <NewRule copied={data} /> : <PageSkeleton />;
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
  const { data: rule, error, refetch } = rules.useOne(id);
  const mayWrite = useMayWrite();
  const [deleting, setDeleting] = useState(false);
  if (error) return <ProblemAlert error={error} onRetry={() => void refetch()} />;
  if (!rule) return <PageSkeleton />;
  return (
    <>
      <PageHeader
        title={rule.name}
        path={path}
        state={
          <StatusBadge tone={rule.enabled ? 'good' : 'quiet'}>{rule.enabled ? 'Enabled' : 'Disabled'}</StatusBadge>
        }
        lead={
          <>
            Version {rule.version}, changed <Moment at={rule.updatedAt} full />
          </>
        }
        actions={
          <>
            <Button
              component={Link}
              to={`/test-rule/${rule.id}`}
              variant="default"
              leftSection={<IconFlask2 size={16} aria-hidden />}
            >
              Test
            </Button>
            {mayWrite && (
              <Button
                variant="default"
                leftSection={<IconTrash size={16} aria-hidden />}
                onClick={() => setDeleting(true)}
              >
                Delete
              </Button>
            )}
          </>
        }
      />
      <RuleForm rule={rule} values={valuesOf(rule)} />
      <DeleteRule rule={deleting ? rule : null} onClose={() => setDeleting(false)} />
    </>
  );
}
