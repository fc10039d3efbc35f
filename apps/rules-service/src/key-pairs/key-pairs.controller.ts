import {
  keyPairImport,
  keyPairPatch,
  pageQuery,
  type KeyPairImport,
  type KeyPairPatch,
  type PageQuery,
} from '#lib/contracts';
import { Database, type KeyPairRow, type NewKeyPair } from '#lib/persistence';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond } from '../http/answer.js';
import { importKeyPair } from './import-key-pair.js';
import { keyPairDocument } from './key-pair-document.js';

/** `/v1/key-pairs`: client certificates for mutual TLS. A private key goes in and never comes out. */
@Controller('v1/key-pairs')
export class KeyPairsController {
  private readonly resource: AdminResource<KeyPairRow, NewKeyPair, KeyPairPatch, KeyPairPatch>;

  constructor(database: Database) {
    this.resource = new AdminResource({
      noun: 'key pair',
      path: '/v1/key-pairs',
      nameMember: 'alias',
      store: database.keyPairs,
      show: (row) => keyPairDocument(row, new Date()),
      body: keyPairPatch,
      toBody: ({ alias }) => ({ alias }),
      toChange: (body) => body,
    });
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.list(query));
  }

  @Post()
  create(@Body({ schema: keyPairImport }) body: KeyPairImport, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.create(importKeyPair(body, new Date())));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.resource.get(id));
  }

  @Patch(':id')
  merge(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: mergePatchBody }) patch: object,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.merge(id, ifMatch, patch));
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.delete(id, ifMatch));
  }
}
