import pg from 'pg';

/** Has a database forget the events of what was only put there for a scenario, and brings its statistics up to date. */
export async function settleSeed(databaseUrl: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    await database.query('update outbox set published_at = clock_timestamp() where published_at is null');
    await database.query('vacuum analyze');
  } finally {
    await database.end();
  }
}
