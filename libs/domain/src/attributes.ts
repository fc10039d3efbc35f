/** What the caller tells about the operation; one of them becomes the login hint. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;
