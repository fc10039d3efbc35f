/** The version of Assent; a test holds it equal to package.json's. */
export const assentVersion = '0.1.0';
