const two = (number: number): string => String(number).padStart(2, '0');
const four = (number: number): string => String(number).padStart(4, '0');

/** An instant as `datetime-local` fields want it, in the time zone of the browser; nothing for what is no instant. */
export function localMinute(instant: string): string {
  const date = new Date(instant);
  if (instant === '' || Number.isNaN(date.getTime())) return '';
  const day = `${four(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The instant at which a minute of the browser's time zone begins. */
export function instantOf(local: string): string {
  const date = new Date(local);
  return local === '' || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** The instant at which it ends: what is named as the end is included. */
export function endOfMinute(local: string): string {
  const from = instantOf(local);
  return from === '' ? '' : new Date(Date.parse(from) + 59_999).toISOString();
}
