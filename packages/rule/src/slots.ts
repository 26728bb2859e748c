import type {Slots} from "@strata/rules";

/** At most `count` rules are evaluated beside the main lines of their groups. */
export function newSlots(count: number): Slots {
  let free = count;
  return {
    tryTake() {
      if (free === 0) return false;
      free--;
      return true;
    },
    give() {
      free++;
    },
  };
}
