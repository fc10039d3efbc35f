import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A held answer goes with the end of its request, also when it was stored while the end waited for the row.
 *
 * The statement of the end looks at the tables as they were when it began, and so cannot see such an answer; a trigger
 * looks again, after the lock.
 */
export class HeldAnswersEnd1760200000000 implements MigrationInterface {
  readonly name = 'HeldAnswersEnd1760200000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(sql);
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only; restore a backup instead.');
  }
}

const sql = /* sql */ `
create function drop_held_answer() returns trigger language plpgsql as $$
begin
  delete from held_answers where request_id = new.id;
  return null;
end $$;
create trigger authorization_requests__drop_held_answer after update on authorization_requests
  for each row when (old.status = 'pending' and new.status <> 'pending') execute function drop_held_answer();

delete from held_answers h using authorization_requests r where r.id = h.request_id and r.status <> 'pending';
`;
