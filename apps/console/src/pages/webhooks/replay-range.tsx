import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import type { ReplayDeliveriesBody, WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { useReplayRange } from '../../api/webhook-endpoints.js';
import { tellDone } from '../../parts/done.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import { instantOf } from '../transactions/local-minute.js';

const choices = [
  { value: 'exhausted', label: 'What was given up' },
  { value: 'delivered', label: 'What had arrived' },
  { value: 'any', label: 'Both' },
];

export interface ReplayRangeProps {
  readonly endpoint: WebhookEndpoint;
  readonly opened: boolean;
  readonly onClose: () => void;
}

/** Sends everything of a time again: after an outage, say. */
export function ReplayRange({ endpoint, opened, onClose }: ReplayRangeProps) {
  const [since, setSince] = useState('');
  const [until, setUntil] = useState('');
  const [state, setState] = useState<ReplayDeliveriesBody['state']>('exhausted');
  const replay = useReplayRange(endpoint.id);
  const from = instantOf(since);
  const to = instantOf(until);
  return (
    <Modal opened={opened} onClose={onClose} title="Replay a range" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        {replay.error && <ProblemAlert error={replay.error} />}
        <Text fz="sm">
          Deliveries of this time are sent again under the ids that they had: a careful receiver sees that it knows
          them.
        </Text>
        <TextInput
          label="Since"
          type="datetime-local"
          withAsterisk
          data-autofocus
          value={since}
          onChange={(event) => setSince(event.currentTarget.value)}
        />
        <TextInput
          label="Until"
          type="datetime-local"
          description="Empty: up to now."
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        <Select
          label="What"
          data={choices}
          value={state}
          onChange={(value) => setState(value as ReplayDeliveriesBody['state'])}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={from === ''}
            loading={replay.isPending}
            onClick={() =>
              replay.mutate(
                { since: from, ...(to !== '' && { until: to }), state },
                {
                  onSuccess: (done) => {
                    tellDone(`${done?.replayed ?? 0} deliveries are sent again.`);
                    onClose();
                  },
                },
              )
            }
          >
            Replay
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
