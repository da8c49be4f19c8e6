// Amounts typed by users.
import { credits, micro, readAmount, typed, usd } from './format.js';

// The maximum that the API accepts, in dollars (two decimals) and in credits (six).
const largest = { 2: '9000000000', 6: '4000000000' };
const largestText = { 2: usd, 6: (text) => `${credits(text)} credits` };

export function decimal(input, name, places) {
  const amount = readAmount(input.value, places);
  if (amount !== null && micro(amount) <= micro(largest[places])) return amount;
  input.focus();
  throw new Error(
    amount === null
      ? `${name} is a number like 25 or ${typed('25.50')}, with at most ${places} decimals and nothing between thousands.`
      : `${name} is at most ${largestText[places](largest[places])}.`,
  );
}
