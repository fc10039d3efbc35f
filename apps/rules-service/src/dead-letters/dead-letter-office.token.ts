/** Under which the module provides what can be done about dead letters. */
export const deadLetterOffice = Symbol('dead letter office');
