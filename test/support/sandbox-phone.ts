import { setTimeout as pause } from 'node:timers/promises';

/** One question that waits on a person's phone. */
export interface PhonePrompt {
  readonly id: string;
  readonly loginHint: string;
  readonly bindingMessage: string | null;
  readonly clientId: string;
  readonly scope: string;
  readonly createdAt: string;
}

const promptLimitMs = 30_000;

/** The sandbox's phone, used by a script instead of a thumb. */
export class SandboxPhone {
  constructor(private readonly sandboxUrl: string) {}

  /** The questions that wait for this person now. */
  async waiting(loginHint: string): Promise<PhonePrompt[]> {
    const answer = await fetch(`${this.sandboxUrl}/phone/requests?loginHint=${encodeURIComponent(loginHint)}`);
    return (await answer.json()) as PhonePrompt[];
  }

  /** The first question that waits, as soon as there is one. */
  async next(loginHint: string): Promise<PhonePrompt> {
    const deadline = Date.now() + promptLimitMs;
    while (Date.now() < deadline) {
      const [prompt] = await this.waiting(loginHint);
      if (prompt) return prompt;
      await pause(50);
    }
    throw new Error(`${loginHint} was not asked within ${promptLimitMs / 1000} s.`);
  }

  /** Answers the first question of this kind, as soon as there is one; others stay. */
  async answerWhere(
    loginHint: string,
    isMeant: (prompt: PhonePrompt) => boolean,
    answer: 'approve' | 'deny',
  ): Promise<PhonePrompt> {
    const deadline = Date.now() + 4 * promptLimitMs;
    while (Date.now() < deadline) {
      const prompt = (await this.waiting(loginHint)).find(isMeant);
      if (prompt) {
        await this.answer(prompt.id, answer);
        return prompt;
      }
      await pause(200);
    }
    throw new Error(`${loginHint} was not asked this within ${(4 * promptLimitMs) / 1000} s.`);
  }

  async answer(promptId: string, answer: 'approve' | 'deny'): Promise<void> {
    const reply = await fetch(`${this.sandboxUrl}/phone/requests/${promptId}/${answer}`, { method: 'POST' });
    if (!reply.ok) throw new Error(`The phone said ${reply.status}: ${await reply.text()}`);
  }

  async answerNext(loginHint: string, answer: 'approve' | 'deny'): Promise<PhonePrompt> {
    const prompt = await this.next(loginHint);
    await this.answer(prompt.id, answer);
    return prompt;
  }
}
