import type { MasterKey, MasterKeyList } from '#lib/contracts';
import { Database, type MasterKeyUse } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Controller, Delete, Get, HttpCode, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';

/** `/v1/master-keys`: which keys seal secrets at rest, and the way out for those that have served. */
@Controller('v1/master-keys')
export class MasterKeysController {
  constructor(private readonly database: Database) {}

  @Get()
  async list(): Promise<MasterKeyList> {
    return { data: (await this.database.masterKeys.list()).map(documentOf) };
  }

  @Delete(':id')
  @HttpCode(204)
  async forget(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const result = await this.database.masterKeys.forget(id, actingOf(reply));
    switch (result.kind) {
      case 'forgotten':
        return;
      case 'not-found':
        throw new ProblemError('not_found', 'No such key has sealed anything here.');
      case 'active':
        throw new ProblemError('in_use', 'This key is active. Put another one first in ASSENT_MASTER_KEYS.');
      case 'in-use':
        throw new ProblemError(
          'in_use',
          `${result.sealedValues} values are still sealed with this key, and ${result.openRequests} requests from its ` +
            'time have not ended. Sealing anew goes on in the background.',
        );
    }
  }
}

const documentOf = (use: MasterKeyUse): MasterKey => ({
  ...use,
  createdAt: use.createdAt.toISOString(),
  resealedAt: use.resealedAt?.toISOString() ?? null,
  removable: use.state !== 'active' && use.sealedValues === 0 && use.openRequests === 0,
});
