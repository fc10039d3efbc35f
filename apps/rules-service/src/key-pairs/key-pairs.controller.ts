import {
  certificateReplacement,
  keyPairImport,
  keyPairPatch,
  pageQuery,
  type CertificateReplacement,
  type CertificateRequest,
  type KeyPairImport,
  type KeyPairPatch,
  type PageQuery,
} from '#lib/contracts';
import { Database, type Acting, type KeyPairRow, type NewKeyPair } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Body, Controller, Delete, Get, Headers, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { actingOf } from '../access/acting-of.js';
import { AdminResource } from '../admin/admin-resource.js';
import { mergePatchBody } from '../admin/merge-patch.js';
import { respond, type Answer } from '../http/answer.js';
import { certificateRequest } from './certificate-request.js';
import { generateKeyPair } from './generate-key-pair.js';
import { importKeyPair } from './import-key-pair.js';
import { keyPairDocument } from './key-pair-document.js';
import { KeyPairUsers } from './key-pair-users.js';
import { ReplaceCertificate } from './replace-certificate.js';

/** `/v1/key-pairs`: client certificates for mutual TLS. A private key goes in and never comes out. */
@Controller('v1/key-pairs')
export class KeyPairsController {
  private readonly resource: AdminResource<KeyPairRow, NewKeyPair, KeyPairPatch, KeyPairPatch>;
  private readonly users: KeyPairUsers;
  private readonly replaceCertificate: ReplaceCertificate;

  constructor(private readonly database: Database) {
    this.users = new KeyPairUsers(database.keyPairs);
    this.replaceCertificate = new ReplaceCertificate(database.keyPairs);
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

  private async make(body: KeyPairImport, acting: Acting): Promise<Answer> {
    const { alias, generate } = body;
    const now = new Date();
    const made = generate ? await generateKeyPair(alias, generate, now) : importKeyPair(body, now);
    return this.resource.create(made, acting);
  }

  private async asked(id: string): Promise<CertificateRequest> {
    const row = await this.resource.find(id);
    const privateKeyPem = await this.database.keyPairs.privateKey(id);
    if (privateKeyPem === null) throw new ProblemError('not_found', 'There is no such key pair.');
    return { csr: await certificateRequest(privateKeyPem, row.certificateChainPem[0]!) };
  }

  @Get()
  list(@Query({ schema: pageQuery }) query: PageQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.users.inPage(this.resource.list(query)));
  }

  @Post()
  create(@Body({ schema: keyPairImport }) body: KeyPairImport, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.users.in(this.make(body, actingOf(reply))));
  }

  @Get(':id')
  get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    return respond(reply, this.users.in(this.resource.get(id)));
  }

  @Patch(':id')
  merge(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: mergePatchBody }) patch: object,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.users.in(this.resource.merge(id, ifMatch, patch, actingOf(reply))));
  }

  @Get(':id/csr')
  request(@Param('id') id: string): Promise<CertificateRequest> {
    return this.asked(id);
  }

  @Put(':id/certificate')
  replace(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body({ schema: certificateReplacement }) body: CertificateReplacement,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const order = { body, acting: actingOf(reply), now: new Date() };
    const replaced = this.resource.update(id, ifMatch, (row) => this.replaceCertificate.run(row, order));
    return respond(reply, this.users.in(replaced));
  }

  @Delete(':id')
  delete(
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return respond(reply, this.resource.delete(id, ifMatch, actingOf(reply)));
  }
}
