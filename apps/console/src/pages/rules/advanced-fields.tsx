import {
  ActionIcon,
  Button,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { Section } from '../../parts/section.js';
import { HandlerSelect } from './reference-selects.js';
import { fieldsOf, type RulePartProps } from './rule-form-api.js';

/** What PingAccess has under "Show Advanced", and what Assent has beyond it. */
export function AdvancedFields({ form, readOnly }: RulePartProps) {
  const { subjectPolicy, credentialsType } = form.getValues();
  const common = { form, readOnly };
  const { field, toggle } = fieldsOf(common);
  return (
    <>
      <Section title="Advanced">
        <NumberInput
          label="Requested Expiry (s)"
          description="Empty: the provider’s own policy decides."
          {...field('requestedExpirySeconds')}
        />
        <HandlerSelect {...common} label="Timeout Rejection Handler" field="timeoutRejectionHandlerId" />
        <HandlerSelect {...common} label="Deny Rejection Handler" field="denyRejectionHandlerId" />
        <HandlerSelect {...common} label="Error Rejection Handler" field="errorRejectionHandlerId" />
      </Section>
      <Section title="Delivery" lead="How the provider’s answer reaches Assent.">
        <Select
          label="Delivery Mode"
          data={[
            { value: 'poll', label: 'Poll: Assent asks again and again' },
            { value: 'ping', label: 'Ping: the provider says when to ask' },
            { value: 'push', label: 'Push: the provider sends the result' },
          ]}
          {...field('deliveryMode')}
        />
        <Select
          label="When the Start Is Unknown"
          description="The answer to the start call was lost: the phone may have rung or not."
          data={[
            { value: 'fail', label: 'End as failed' },
            { value: 'ask-again', label: 'Ask the person once more' },
          ]}
          {...field('onInitiationUnknown')}
        />
      </Section>
      <Section title="Person" lead="How the person is named, and whose approval counts.">
        <Select label="Hint Kind" data={['login_hint', 'id_token_hint', 'login_hint_token']} {...field('hintKind')} />
        <TextInput
          label="Hint Template"
          description="Makes the hint of {{value}} and {{issuer}}. Empty: as the provider’s profile wants it."
          {...field('hintTemplate')}
        />
        <Select
          label="Subject Policy"
          data={[
            { value: 'record', label: 'Whomever the provider names; on record' },
            { value: 'hint', label: 'The subject of the hint, nobody else' },
            { value: 'bound', label: 'The subject in an attribute of the request' },
          ]}
          {...field('subjectPolicy')}
        />
        {subjectPolicy === 'bound' && (
          <TextInput label="Subject Attribute" withAsterisk {...field('subjectAttribute')} />
        )}
      </Section>
      <Section title="What is asked in detail">
        <TagsInput
          label="ACR Values"
          description="How the person has to be authenticated, the preferred first."
          {...field('acrValues')}
        />
        <Textarea
          label="Authorization Details"
          description="A JSON array (RFC 9396). {{attribute}} in its strings is replaced."
          minRows={3}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          {...field('authorizationDetails')}
        />
        <ExtraParameters {...common} />
      </Section>
      <Section title="Protection">
        <Switch
          label="FAPI-CIBA"
          description="Holds the rule to the profile: signed requests, bound tokens, PS256 and ES256 only."
          {...toggle('fapi')}
        />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Select
            label="Signed Request"
            data={[
              { value: '', label: 'As FAPI-CIBA says' },
              { value: 'no', label: 'No' },
              { value: 'yes', label: 'Yes, as the provider wants' },
              'ES256',
              'PS256',
            ]}
            {...field('signedRequest')}
          />
          <Select
            label="DPoP"
            data={[
              { value: '', label: 'As FAPI-CIBA says' },
              { value: 'no', label: 'No' },
              { value: 'yes', label: 'Yes' },
            ]}
            {...field('dpop')}
          />
        </SimpleGrid>
        {credentialsType === 'secret' && form.getValues().fapi && (
          <Text fz="sm" c="dimmed">
            FAPI-CIBA takes mutual TLS or private key JWT only.
          </Text>
        )}
      </Section>
      <Section title="Use of the approval">
        <NumberInput
          label="Use Within (s)"
          description="An approval that is not used in this time lapses."
          {...field('consumeWithinSeconds')}
        />
        <Switch
          label="Release Access Token"
          description="The one call that uses the approval gets the provider’s access token."
          {...toggle('releaseAccessToken')}
        />
      </Section>
      <Section title="Prompt Limits" lead="How often one person may be asked. Empty: as configured; 0: no limit.">
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          {(
            [
              ['outstanding', 'Outstanding'],
              ['perFiveMinutes', 'In 5 minutes'],
              ['perHour', 'In an hour'],
              ['coolDownSeconds', 'Rest after two denials (s)'],
              ['rulePerMinute', 'Under this rule, in a minute'],
            ] as const
          ).map(([name, label]) => (
            <NumberInput key={name} label={label} {...field(`promptLimits.${name}`)} />
          ))}
        </SimpleGrid>
        <Switch
          label="Join Identical Requests"
          description="A request like one that still waits is answered with that one; the person is asked once."
          {...toggle('joinIdentical')}
        />
      </Section>
    </>
  );
}

function ExtraParameters({ form, readOnly }: RulePartProps) {
  const { extraParameters } = form.getValues();
  return (
    <Stack gap={6} role="group" aria-label="Extra Parameters">
      <Text fz="sm" fw="var(--mantine-font-weight-medium)">
        Extra Parameters
      </Text>
      {readOnly && extraParameters.length === 0 && <Text fz="sm">none</Text>}
      {extraParameters.map((_, index) => (
        <Group key={index} gap={6} wrap="nowrap" align="flex-start">
          <TextInput
            aria-label={`Name of parameter ${index + 1}`}
            placeholder="audience"
            readOnly={readOnly}
            {...form.getInputProps(`extraParameters.${index}.name`)}
          />
          <TextInput
            aria-label={`Value of parameter ${index + 1}`}
            readOnly={readOnly}
            style={{ flex: 1 }}
            {...form.getInputProps(`extraParameters.${index}.value`)}
          />
          {!readOnly && (
            <ActionIcon
              variant="subtle"
              color="gray"
              mt={4}
              onClick={() => form.removeListItem('extraParameters', index)}
              aria-label={`Remove parameter ${index + 1}`}
            >
              <IconX size={16} />
            </ActionIcon>
          )}
        </Group>
      ))}
      {form.errors['extraParameters'] && (
        <Text fz="xs" c="red">
          {form.errors['extraParameters']}
        </Text>
      )}
      {!readOnly && (
        <Group>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => form.insertListItem('extraParameters', { name: '', value: '' })}
          >
            New Parameter
          </Button>
        </Group>
      )}
    </Stack>
  );
}
