import { useLayoutEffect, useState } from 'react';
import { useLocation } from 'react-router';

/**
 * A value that lives in the address, for a field that somebody types into: shown as typed at once, while the address and
 * the page come after it. As soon as the page has come to its address, what stands there is shown, whoever put it there.
 */
export function useTyped(
  value: string,
  onChange: (value: string) => void,
): [shown: string, type: (typed: string) => void] {
  const location = useLocation();
  const [typed, setTyped] = useState<string | null>(null);
  useLayoutEffect(() => {
    if (typed !== null && location.search === window.location.search) setTyped(null);
  }, [typed, location]);
  const type = (text: string): void => {
    setTyped(text);
    onChange(text);
  };
  return [typed ?? value, type];
}
