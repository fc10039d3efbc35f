import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithBroker } from '../support/needs.js';
import { limitMs } from './arrivals.js';
import { DeliveryHouse, type Told } from './delivery-house.js';
import { deliveryPoints, lives, type DeliveryPoint } from './delivery-points.js';
import { SideBySide } from './side-by-side.js';

/**
 * `kill -9` of a real decision service and of the outbox relay in it, at each point where they wait for
 * the database, a receiver or the broker.
 */
describeWithBroker('a decision service', () => {
  const points = Object.entries(deliveryPoints).map(([point, { arrives }]) => ({
    point: point as DeliveryPoint,
    arrives,
  }));
  const lifeOf = (point: DeliveryPoint) => lives.findIndex((life) => life.some((points) => points.includes(point)));
  const houses = new SideBySide<DeliveryHouse, Map<DeliveryPoint, Told>>(lives.length, () => DeliveryHouse.open());

  beforeAll(async () => {
    await houses.open();
    lives.forEach((life, index) => houses.begin(String(index), (house) => house.live(life)));
  }, 2 * limitMs);
  afterAll(() => houses.close(), limitMs);

  it.each(points)(
    'killed at "$point": one decision, told under one id and in the same words',
    async ({ point, arrives }) => {
      const told = (await houses.came(String(lifeOf(point)))).get(point)!;
      expect(told).toMatchObject({ decisions: 1, deliveryIds: 1, bodies: 1, asStored: true, state: 'delivered' });
      expect(told).toMatchObject({ eventIds: 1, eventAsStored: true });
      expect(told.deliveries).toBeGreaterThanOrEqual(arrives.deliveries);
      expect(told.events).toBeGreaterThanOrEqual(arrives.events);
      // What was recorded as told is not told again.
      if (arrives.exactly !== undefined) expect(told[arrives.exactly]).toBe(arrives[arrives.exactly]);
    },
    5 * limitMs,
  );
});
