/** What `nest new` gives: Express, ValidationPipe with class-validator, and a transaction for request and outbox row. */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Body, Controller, HttpCode, Module, Post, Req, UnauthorizedException, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsObject, IsString, MaxLength } from 'class-validator';
import pg from 'pg';
import { insertRequest, requestsTable } from './request-schema.mjs';
import { serve } from './serve.mjs';

const clientId = randomUUID();
let pool;
let key;

class SubmitRequest {}
IsString()(SubmitRequest.prototype, 'rule');
MaxLength(64)(SubmitRequest.prototype, 'rule');
IsObject()(SubmitRequest.prototype, 'attributes');

class RequestsController {
  async submit(request, body) {
    if (request.headers.authorization !== `Bearer ${key}`) throw new UnauthorizedException();
    const id = randomUUID();
    const client = await pool.connect();
    try {
      await client.query('begin');
      const values = [id, clientId, request.headers['idempotency-key'], body.rule, JSON.stringify(body.attributes)];
      await client.query({ ...insertRequest, values });
      const event = JSON.stringify({ id: randomUUID(), type: 'requested', requestId: id, rule: body.rule });
      await client.query({ name: 'insert_outbox', text: 'insert into outbox (event) values ($1)', values: [event] });
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
    return { id, status: 'requested', createdAt: new Date() };
  }
}
// What the decorators of a TypeScript source do.
const submit = Object.getOwnPropertyDescriptor(RequestsController.prototype, 'submit');
Controller('v1/authorization-requests')(RequestsController);
Post()(RequestsController.prototype, 'submit', submit);
HttpCode(202)(RequestsController.prototype, 'submit', submit);
Req()(RequestsController.prototype, 'submit', 0);
Body()(RequestsController.prototype, 'submit', 1);
Reflect.defineMetadata('design:paramtypes', [Object, SubmitRequest], RequestsController.prototype, 'submit');

class AppModule {}
Module({ controllers: [RequestsController] })(AppModule);

async function start(config) {
  key = config.key;
  pool = new pg.Pool({ connectionString: config.databaseUrl, max: 10 });
  await pool.query(requestsTable);
  await pool.query(
    'create table outbox (id bigint generated always as identity primary key, event json not null, published_at timestamptz)',
  );
  const app = await NestFactory.create(AppModule, { logger: false });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
  await app.listen(0, '127.0.0.1');
  return app.getHttpServer().address().port;
}

serve({ start });
