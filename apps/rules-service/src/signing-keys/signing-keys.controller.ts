import type { SigningKeyDocument, SigningKeyList } from '#lib/contracts';
import { Database, type SigningKeyLife } from '#lib/persistence';
import { Controller, Get } from '@nestjs/common';

/** `/v1/signing-keys`: what Assent signs with, from when to when. */
@Controller('v1/signing-keys')
export class SigningKeysController {
  constructor(private readonly database: Database) {}

  @Get()
  async list(): Promise<SigningKeyList> {
    return { data: (await this.database.signingKeys.lives()).map(documentOf) };
  }
}

const documentOf = ({ kid, use, alg, ...life }: SigningKeyLife): SigningKeyDocument => ({
  kid,
  use,
  alg,
  state: life.retiredAt !== null ? 'retired' : life.activatedAt !== null ? 'current' : 'next',
  createdAt: life.createdAt.toISOString(),
  activatedAt: life.activatedAt?.toISOString() ?? null,
  retiredAt: life.retiredAt?.toISOString() ?? null,
});
