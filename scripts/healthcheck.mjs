/** Says by its exit code whether the process in this container can serve; the image has no curl. */
const url = process.argv[2] ?? `http://127.0.0.1:${process.env.PORT || 3000}/health/ready`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_500) });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 500)}`);
} catch (error) {
  console.error(`${url}: ${error.message}`);
  process.exitCode = 1;
}
