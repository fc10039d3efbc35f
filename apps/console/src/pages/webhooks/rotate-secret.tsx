import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core';
import type { WebhookEndpoint } from '#lib/contracts';
import { useState } from 'react';
import { useRotateSecret } from '../../api/webhook-endpoints.js';
import { ProblemAlert } from '../../parts/problem-alert.js';
import type { ShownOnceProps } from '../../parts/shown-once.js';

const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: 'For an hour' },
  { value: '86400', label: 'For a day' },
  { value: '604800', label: 'For a week' },
];

export interface RotateSecretProps {
  readonly endpoint: WebhookEndpoint;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onSecrets: (secrets: ShownOnceProps['secrets']) => void;
}

/** Replaces the secret of an endpoint, with a time in which deliveries are signed with both. */
export function RotateSecret({ endpoint, opened, onClose, onSecrets }: RotateSecretProps) {
  const [overlap, setOverlap] = useState('86400');
  const rotate = useRotateSecret();
  return (
    <Modal opened={opened} onClose={onClose} title="Rotate the secret" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        {rotate.error && <ProblemAlert error={rotate.error} />}
        <Text fz="sm">A new secret is made and shown once. How long is the old one to sign deliveries as well?</Text>
        <Select
          label="The old secret signs"
          data={overlaps}
          value={overlap}
          onChange={(value) => setOverlap(value ?? '0')}
          data-autofocus
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            loading={rotate.isPending}
            onClick={() =>
              rotate.mutate(
                { id: endpoint.id, overlapSeconds: Number(overlap) },
                {
                  onSuccess: ({ secret }) => {
                    onClose();
                    onSecrets([{ label: 'Signing secret', value: secret }]);
                  },
                },
              )
            }
          >
            Rotate
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
