import { Database } from '#lib/persistence';
import { Controller, Get, Header } from '@nestjs/common';

/** `/.well-known/jwks.json`: what verifies receipts, callbacks and our client assertions, and what ID tokens are encrypted to (RFC 7517). */
@Controller('.well-known/jwks.json')
export class JwksController {
  constructor(private readonly database: Database) {}

  @Get()
  @Header('content-type', 'application/jwk-set+json')
  @Header('cache-control', 'public, max-age=60')
  async show() {
    const [{ keys }, encryption] = await Promise.all([
      this.database.signingKeys.publicJwks(),
      this.database.encryptionKeys.publicJwks(),
    ]);
    return { keys: [...keys, ...encryption] };
  }
}
