export interface Stage {
  readonly name: string;
  readonly from: string;
  readonly steps: ReadonlyArray<{ readonly instruction: string; readonly text: string }>;
}
export function stagesOf(text: string): Stage[];
export function copyOf(text: string): { from: string | null; sources: string[]; target: string };
export function contextOf(root: string): string[];
