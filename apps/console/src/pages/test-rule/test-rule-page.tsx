import { ActionIcon, Anchor, Button, Group, Input, Paper, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconEye, IconFlask2, IconPlus, IconSend2, IconTrash } from '@tabler/icons-react';
import type { Rule } from '#lib/contracts';
import { useState } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { useRequest, useSubmitRequest } from '../../api/authorization-requests.js';
import { useRulePreview } from '../../api/rule-preview.js';
import { rules } from '../../api/rules.js';
import { EmptyState } from '../../parts/empty-state.js';
import { focusFirstMistake, problemsOfAnswer } from '../../parts/form-problems.js';
import { Loaded } from '../../parts/loaded.js';
import { PageHeader } from '../../parts/page-header.js';
import { RowsSkeleton } from '../../parts/page-skeleton.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { useMayWrite } from '../../shell/session.js';
import { WatchedRequest } from '../transactions/watched-request.js';
import { attributeOfPointer, attributesOf, namesOf, type AttributeRow } from './attributes.js';
import { PreviewedRequest } from './previewed-request.js';

/** Requests › Test Rule: see what a rule would ask, then really ask it and watch. */
export function TestRulePage() {
  const { ruleId = '' } = useParams();
  const navigate = useNavigate();
  const query = rules.useList();
  const mayWrite = useMayWrite();
  const rule = query.data?.find(({ id }) => id === ruleId);
  return (
    <>
      <PageHeader
        title="Test Rule"
        path={[{ label: 'Requests' }]}
        lead={`Give a rule the attributes that an application would send, and see the exact request to the token provider${mayWrite ? '; then send it and watch' : ''}.`}
      />
      <Loaded query={query} skeleton={<RowsSkeleton />}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              icon={IconFlask2}
              title="There is no rule to try"
              action={
                mayWrite && (
                  <Button component={Link} to="/access/rules/new">
                    Add Rule
                  </Button>
                )
              }
            >
              A rule says who asks, and which token provider asks the person. Add one, and come back.
            </EmptyState>
          ) : (
            <Stack gap="md">
              <Select
                label="Rule"
                placeholder="Choose a rule"
                searchable
                value={rule?.id ?? null}
                onChange={(value) => void navigate(`/test-rule/${value ?? ''}`)}
                data={all.map(({ id, name, enabled }) => ({ value: id, label: enabled ? name : `${name} (disabled)` }))}
                maw={420}
              />
              {rule && <TryOut key={rule.id} rule={rule} />}
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}

function TryOut({ rule }: { readonly rule: Rule }) {
  const [rows, setRows] = useState<readonly AttributeRow[]>(() => namesOf(rule).map((name) => ({ name, value: '' })));
  const [search, setSearch] = useSearchParams();
  const preview = useRulePreview();
  const submit = useSubmitRequest();
  const mayWrite = useMayWrite();
  const sent = search.get('sent') ?? '';
  const body = { attributes: attributesOf(rows) };
  const write = (next: readonly AttributeRow[]): void => {
    setRows(next);
    // What is shown is for what stands here; what is on its way goes on.
    preview.reset();
    if (submit.isError) submit.reset();
  };
  const change = (index: number, part: Partial<AttributeRow>): void =>
    write(rows.map((row, place) => (place === index ? { ...row, ...part } : row)));
  const error = submit.error ?? preview.error;
  const mistakes = problemsOfAnswer(error, (pointer) => attributeOfPointer(rows, pointer));
  const told = Object.keys(mistakes.fields).length > 0 && mistakes.rest.length === 0;
  return (
    <>
      <Paper
        component="form"
        aria-label="Attributes"
        p={{ base: 'md', sm: 'lg' }}
        onSubmit={(event) => {
          event.preventDefault();
          if (submit.isError) submit.reset();
          preview.mutate({ ruleId: rule.id, body }, { onError: focusFirstMistake });
        }}
      >
        <Stack gap="sm">
          <Text fz="sm" c="dimmed">
            The person is named by <code>{rule.loginHintAttribute}</code>; the other attributes fill the templates of
            the rule.
          </Text>
          {rows.map((row, index) => (
            <Group key={index} gap="xs" wrap="nowrap" align="flex-start">
              <TextInput
                label={index === 0 ? 'Attribute' : undefined}
                aria-label={`Attribute ${index + 1}`}
                value={row.name}
                onChange={(event) => change(index, { name: event.currentTarget.value })}
                w={{ base: '42%', xs: '30%' }}
              />
              <TextInput
                label={index === 0 ? 'Value' : undefined}
                aria-label={`Value of ${row.name === '' ? `attribute ${index + 1}` : row.name}`}
                value={row.value}
                error={mistakes.fields[row.name.trim()]}
                onChange={(event) => change(index, { value: event.currentTarget.value })}
                style={{ flex: 1 }}
              />
              {/* Beside the field, whatever stands above and below it. */}
              <Input.Wrapper label={index === 0 ? '\u00a0' : undefined} labelElement="div">
                <div>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="lg"
                    aria-label={`Remove attribute ${index + 1}`}
                    onClick={() => write(rows.filter((_, place) => place !== index))}
                  >
                    <IconTrash size={16} />
                  </ActionIcon>
                </div>
              </Input.Wrapper>
            </Group>
          ))}
          <Group justify="space-between">
            <Button
              variant="subtle"
              size="compact-sm"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => setRows([...rows, { name: '', value: '' }])}
            >
              New Attribute
            </Button>
            <Group gap="xs">
              <Button
                type="submit"
                variant="default"
                leftSection={<IconEye size={16} aria-hidden />}
                loading={preview.isPending}
              >
                Preview
              </Button>
              {mayWrite && (
                <Button
                  leftSection={<IconSend2 size={16} aria-hidden />}
                  loading={submit.isPending}
                  onClick={() => {
                    if (preview.isError) preview.reset();
                    submit.mutate(
                      { rule: rule.id, ...body },
                      { onSuccess: ({ id }) => setSearch({ sent: id }), onError: focusFirstMistake },
                    );
                  }}
                >
                  Send
                </Button>
              )}
            </Group>
          </Group>
          {mayWrite && (
            <Text fz="xs" c="dimmed">
              Send really asks the person, on their own device.
            </Text>
          )}
        </Stack>
      </Paper>
      {error && !told && <ProblemAlert error={error} rest={mistakes.rest} />}
      {preview.data && <PreviewedRequest preview={preview.data} />}
      {sent !== '' && (
        <Stack component="section" gap="md" aria-label="The request that was sent">
          <Text fz="sm" c="dimmed" mt="xs">
            The request that was sent is a transaction like any other:{' '}
            <Anchor component={Link} inherit underline="always" to={`/transactions/${sent}`}>
              open it
            </Anchor>
            .
          </Text>
          <SentRequest id={sent} />
        </Stack>
      )}
    </>
  );
}

function SentRequest({ id }: { readonly id: string }) {
  const { data, error, refetch } = useRequest(id);
  return (
    <>
      {error && <ProblemAlert error={error} onRetry={() => void refetch()} />}
      {data ? <WatchedRequest request={data} /> : !error && <RowsSkeleton />}
    </>
  );
}
