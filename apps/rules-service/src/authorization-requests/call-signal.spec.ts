import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { FastifyReply } from 'fastify';
import { callSignal, goneSignal } from './call-signal.js';

const reply = () => {
  const raw = new ServerResponse(new IncomingMessage(new Socket()));
  return { raw, reply: { raw } as unknown as FastifyReply };
};

describe.each([
  ['the signal of a call', callSignal],
  ['the signal of a caller who goes', goneSignal],
])('%s', (_, signalOf) => {
  it('aborts when the caller goes', () => {
    const call = reply();
    const signal = signalOf(call.reply);
    expect(signal.aborted).toBe(false);
    call.raw.emit('close');
    expect(signal.aborted).toBe(true);
  });

  it('is aborted already for a caller who went while it was found out who calls', async () => {
    const call = reply();
    const closed = new Promise((resolve) => call.raw.once('close', resolve));
    call.raw.destroy();
    call.raw.emit('close');
    await closed;
    expect(signalOf(call.reply).aborted).toBe(true);
  });
});
