/** The servers that test files of one run share. */
export type RunServer = 'rabbitmq' | 'postgres';

const named: Readonly<Record<RunServer, string>> = {
  rabbitmq: 'ASSENT_TEST_AMQP_URL',
  postgres: 'ASSENT_TEST_DATABASE_URL',
};

/**
 * Sees to it that the server of this run is up and that the environment says where it is. Does nothing when the
 * environment says so already, or when there is no run (then whoever needs the server starts one of its own).
 *
 * @throws Error when the server does not start
 */
export async function useRunServer(name: RunServer): Promise<void> {
  const run = process.env.ASSENT_TEST_SERVERS;
  if (process.env[named[name]] || !run) return;
  const answer = await fetch(`${run}/${name}`);
  const { env, problem } = (await answer.json()) as { env?: Record<string, string>; problem?: string };
  if (env === undefined) throw new Error(`The ${name} of this test run does not start:\n${problem ?? ''}`);
  Object.assign(process.env, env);
}
