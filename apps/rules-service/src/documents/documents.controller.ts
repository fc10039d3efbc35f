import { readFileSync } from 'node:fs';
import { asyncApi, configurationJsonSchema, openApi } from '#lib/contracts';
import { ProblemError } from '#lib/runtime';
import { Controller, Get, Header, Param } from '@nestjs/common';
import { errorCodePage, errorPage } from './error-page.js';
import { eventPage } from './event-page.js';
import { referencePage } from './reference-page.js';

// The pages need their own style sheet and nothing else; they may not be framed and may not send anything.
const contentSecurityPolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const maxAge = 'public, max-age=300';

/** Makes a document at its first use and keeps it. */
const once = (make: () => string): (() => string) => {
  let made: string | null = null;
  return () => (made ??= make());
};

const documents = {
  openApi: once(() => JSON.stringify(openApi())),
  asyncApi: once(() => JSON.stringify(asyncApi())),
  configurationSchema: once(() => JSON.stringify(configurationJsonSchema())),
  reference: once(referencePage),
  events: once(eventPage),
  errors: once(errorPage),
  styleSheet: once(() => readFileSync(new URL('./reference.css', import.meta.url), 'utf8')),
};

const Page = (): MethodDecorator => (target, name, descriptor) => {
  Header('content-type', 'text/html; charset=utf-8')(target, name, descriptor);
  Header('content-security-policy', contentSecurityPolicy)(target, name, descriptor);
  Header('x-content-type-options', 'nosniff')(target, name, descriptor);
  Header('referrer-policy', 'no-referrer')(target, name, descriptor);
  Header('cache-control', maxAge)(target, name, descriptor);
};

/** The description of the API and of the events: for programs, and as pages that need no other host. */
@Controller()
export class DocumentsController {
  @Get('/openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', maxAge)
  openApi(): string {
    return documents.openApi();
  }

  @Get('/asyncapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', maxAge)
  asyncApi(): string {
    return documents.asyncApi();
  }

  @Get('/configuration.schema.json')
  @Header('content-type', 'application/schema+json; charset=utf-8')
  @Header('cache-control', maxAge)
  configurationSchema(): string {
    return documents.configurationSchema();
  }

  @Get('/docs')
  @Page()
  reference(): string {
    return documents.reference();
  }

  @Get('/docs/events')
  @Page()
  events(): string {
    return documents.events();
  }

  @Get('/docs/errors')
  @Page()
  errors(): string {
    return documents.errors();
  }

  @Get('/docs/errors/:code')
  @Page()
  error(@Param('code') code: string): string {
    const found = errorCodePage(code);
    if (found === null) throw new ProblemError('not_found', 'There is no such problem code. See /docs/errors.');
    return found;
  }

  @Get('/docs/reference.css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', maxAge)
  styleSheet(): string {
    return documents.styleSheet();
  }
}
