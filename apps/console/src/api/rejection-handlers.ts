import type { RejectionHandler, RejectionHandlerBody } from '#lib/contracts';
import { adminResource } from './admin-resource.js';

export const rejectionHandlers = adminResource<RejectionHandler, RejectionHandlerBody>('/v1/rejection-handlers');
