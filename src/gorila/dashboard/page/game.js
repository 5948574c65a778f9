// The agent at play: pictures, and what it thinks of each action.
"use strict";

// A hidden page or a paused game asks for no pictures.
function watchGame() {
  if (state.game) state.game.close();
  state.game = null;
  state.scale = { low: 0, high: 0 };
  if (state.runs.length > 0) nameBars(state.runs[state.focus].is_policy);
  if (state.paused || document.hidden || state.runs.length === 0) return;
  const run = state.runs[state.focus];
  const game = run.games ? `&game=${run.games.indexOf(state.chosen)}` : "";
  const source = new EventSource(
    `api/game?run=${state.focus}&actor=${byId("actor").value}${game}`);
  state.game = source;
  source.addEventListener("game", (event) => drawGame(JSON.parse(event.data)));
  const say = (event) => gameNote(JSON.parse(event.data).message);
  source.addEventListener("waiting", say);
  source.addEventListener("problem", (event) => {
    source.close();
    say(event);
  });
}

// Where a value's bar begins and how wide it is; low <= 0 <= high.
function barFromZero(value, low, high) {
  const range = Math.max(1e-6, high - low);
  return { marginLeft: `${(100 * (Math.min(0, value) - low)) / range}%`,
    width: `${(100 * Math.abs(value)) / range}%` };
}

function gameNote(text) {
  byId("game-note").textContent = text;
  byId("game-note").hidden = text === "";
  byId("screen").hidden = text !== "";
}

function nameBars(isPolicy) {
  byId("bars-title").textContent = isPolicy ? "Probabilities" : "Q-values";
}

// "sampled, epsilon 0.1": how a policy or values choose.
function actingText(game) {
  const epsilon = `epsilon ${formatNumber(game.epsilon)}`;
  if (!game.probabilities) return epsilon;
  const how = game.act === "sample" ? "sampled" : "most likely action";
  return game.epsilon > 0 ? `${how}, ${epsilon}` : how;
}

function drawGame(game) {
  gameNote("");
  byId("screen").src = game.image;
  byId("game-status").textContent = `episode ${game.episode}, step ${game.step}, return ` +
    `${formatNumber(game.return)} · ${actingText(game)} · ${game.source}`;
  nameBars(Boolean(game.probabilities));
  const values = game.probabilities || game.q;
  const list = byId("bars");
  while (list.children.length > values.length) list.lastChild.remove();
  while (list.children.length < values.length) {
    list.append(element("li", {}, element("span", { className: "name" }),
      element("span", { className: "track" }, element("i")),
      element("span", { className: "number" })));
  }
  // From zero, and one for all of a game; as film and terminal have it. Probabilities: to 1.
  const scale = state.scale;
  scale.low = Math.min(scale.low, ...values);
  scale.high = Math.max(scale.high, game.probabilities ? 1 : 0, ...values);
  values.forEach((value, i) => {
    const [name, track, number] = list.children[i].children;
    const chosen = i === game.chosen;
    name.textContent = game.actions[i] + (chosen && game.explores ? " (random)" : "");
    Object.assign(track.firstChild.style, barFromZero(value, scale.low, scale.high));
    number.textContent = value.toFixed(3);
    list.children[i].className = chosen ? "chosen" : "";
  });
}
