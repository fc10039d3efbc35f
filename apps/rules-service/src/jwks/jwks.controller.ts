import { Database } from '#lib/persistence';
import { Controller, Get, Header } from '@nestjs/common';

/** `/.well-known/jwks.json`: what verifies receipts, callbacks and our client assertions (RFC 7517). */
@Controller('.well-known/jwks.json')
export class JwksController {
  constructor(private readonly database: Database) {}

  @Get()
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=60')
  show() {
    return this.database.signingKeys.publicJwks();
  }
}
