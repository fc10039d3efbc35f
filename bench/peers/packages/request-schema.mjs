/** The body of a request, as Fastify validates it. */
export const schema = {
  body: {
    type: 'object',
    required: ['rule', 'attributes'],
    additionalProperties: false,
    properties: {
      rule: { type: 'string', maxLength: 64 },
      attributes: { type: 'object', additionalProperties: { type: 'string', maxLength: 4096 } },
    },
  },
};

/** The table of a plain application: one row a request, its key unique for each client. */
export const requestsTable = `
  create table requests (
    id uuid primary key, client_id uuid not null, idempotency_key text not null, rule text not null,
    attributes jsonb not null, status text not null, created_at timestamptz not null default now(),
    unique (client_id, idempotency_key))`;

export const insertRequest = {
  name: 'insert_request',
  text: `insert into requests (id, client_id, idempotency_key, rule, attributes, status) values ($1, $2, $3, $4, $5, 'requested')`,
};
