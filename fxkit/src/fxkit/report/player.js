// One transport for four recordings of the same moment. All four play at once and only one is
// heard, so that a switch is instant and the place in the music stays.
(function () {
  "use strict";
  const player = document.getElementById("player");
  const Context = window.AudioContext || window.webkitAudioContext;
  if (!player || !Context) return; // The plain <audio> elements are there without any script.

  const find = (selector) => player.querySelector(selector);
  const all = (selector) => Array.from(player.querySelectorAll(selector));
  const transport = find(".transport");
  const fallback = find(".fallback");
  const seek = find(".seek");
  const button = find(".play");
  const clock = find(".clock");
  const playhead = find(".playhead");
  const loop = find(".loop");
  const trueLevel = find(".true-level");
  const problem = find(".problem");
  const result = find(".blind-result");
  const names = all("audio").map((audio) => audio.dataset.track);
  const trueGain = Number(player.dataset.trueGain);
  const FADE = 0.006; // seconds: time constant of a switch, short but without a click

  let context = null;
  let buffers = null;
  let voices = null; // { name: { source, gain } } while playing
  let origin = 0; // context time at which position 0 would have been played
  let position = 0; // seconds, while paused
  let heard = "target";
  let hidden = null; // what X is, while X is heard
  let loading = null;
  const length = Number(seek.max);

  fallback.hidden = true;
  transport.hidden = false;
  player.dataset.ready = "true";

  function bytes(uri) {
    const text = atob(uri.slice(uri.indexOf(",") + 1));
    const data = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) data[i] = text.charCodeAt(i);
    return data.buffer;
  }

  function load() {
    if (loading) return loading;
    context = new Context();
    loading = Promise.all(
      all("audio").map((audio) => context.decodeAudioData(bytes(audio.getAttribute("src"))))
    ).then((decoded) => {
      buffers = Object.fromEntries(names.map((name, i) => [name, decoded[i]]));
    });
    return loading;
  }

  function level(name) {
    if (name !== (hidden || heard)) return 0;
    return name === "residual" && trueLevel && trueLevel.checked ? trueGain : 1;
  }

  function now() {
    if (!voices) return position;
    const at = Math.max(0, context.currentTime - origin);
    return loop.checked ? at % length : Math.min(at, length);
  }

  function halt() {
    if (!voices) return;
    for (const { source } of Object.values(voices)) {
      source.onended = null;
      source.stop();
    }
    voices = null;
  }

  function start(at) {
    halt();
    const when = context.currentTime + 0.02;
    origin = when - at;
    voices = {};
    for (const name of names) {
      const source = context.createBufferSource();
      const gain = context.createGain();
      source.buffer = buffers[name];
      source.loop = loop.checked;
      gain.gain.value = level(name);
      source.connect(gain).connect(context.destination);
      source.start(when, at);
      voices[name] = { source, gain };
    }
    voices[names[0]].source.onended = () => {
      voices = null;
      position = 0;
      show();
    };
  }

  function play() {
    button.setAttribute("aria-busy", "true");
    return load()
      .then(() => context.resume())
      .then(() => {
        start(position >= length ? 0 : position);
        requestAnimationFrame(tick);
        show();
      })
      .catch(() => {
        problem.textContent = "This browser cannot decode the sound here. The players below may work.";
        problem.hidden = false;
        fallback.hidden = false;
      })
      .finally(() => button.removeAttribute("aria-busy"));
  }

  function pause() {
    position = now();
    halt();
    show();
  }

  function toggle() {
    return voices ? (pause(), Promise.resolve()) : play();
  }

  function move(to) {
    position = Math.min(Math.max(0, to), Math.max(0, length - 0.01));
    if (voices) start(position);
    show();
  }

  function mix() {
    if (voices) {
      for (const name of names) {
        voices[name].gain.gain.setTargetAtTime(level(name), context.currentTime, FADE);
      }
    }
    show();
  }

  function hear(name) {
    heard = name;
    hidden = null;
    const radio = find('.tracks input[value="' + name + '"]');
    if (radio) radio.checked = true;
    mix();
  }

  function show() {
    const at = now();
    seek.value = String(at);
    seek.setAttribute("aria-valuetext", at.toFixed(1) + " of " + length.toFixed(1) + " seconds");
    clock.textContent = at.toFixed(1) + " s";
    playhead.style.left = (100 * at) / length + "%";
    button.setAttribute("aria-label", voices ? "Pause" : "Play");
    button.setAttribute("aria-pressed", String(Boolean(voices)));
    player.dataset.playing = hidden ? "x" : heard;
    player.classList.toggle("blind-on", Boolean(hidden));
    for (const wave of all(".wave svg")) {
      wave.classList.toggle("shown", !hidden && wave.dataset.track === heard);
    }
  }

  function tick() {
    if (!voices) return;
    show();
    requestAnimationFrame(tick);
  }

  button.addEventListener("click", toggle);
  seek.addEventListener("input", () => move(Number(seek.value)));
  loop.addEventListener("change", () => {
    if (voices) start(now());
  });
  if (trueLevel) trueLevel.addEventListener("change", mix);
  for (const radio of all('.tracks input[type="radio"]')) {
    radio.addEventListener("change", () => hear(radio.value));
    radio.addEventListener("click", () => {
      if (hidden) hear(radio.value); // leaves X, though the radio button has not changed
    });
  }

  player.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const number = Number(event.key);
    const typed = event.target.tagName;
    if (Number.isInteger(number) && number >= 1 && number <= names.length) {
      hear(names[number - 1]);
    } else if (event.key === " " && typed !== "BUTTON" && typed !== "SUMMARY" &&
               event.target.type !== "checkbox") {
      toggle();
    } else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") &&
               event.target.type !== "radio") {
      move(now() + (event.key === "ArrowLeft" ? -1 : 1));
    } else {
      return;
    }
    event.preventDefault();
  });

  // The blind test: an answer is right by chance every other time.
  let drawn = null;
  let rounds = 0;
  let right = 0;
  function chance(wins, tries) {
    let term = Math.pow(0.5, tries); // of no win at all; then by the ratio of neighbours
    let sum = 0;
    for (let k = 0; k <= tries; k += 1) {
      if (k >= wins) sum += term;
      term *= (tries - k) / (k + 1);
    }
    return Math.min(1, sum);
  }
  function answer(name) {
    if (!drawn) {
      result.textContent = "Listen to X first.";
      return;
    }
    const truth = drawn;
    rounds += 1;
    if (name === truth) right += 1;
    drawn = null;
    hear(truth);
    const luck = chance(right, rounds);
    result.textContent =
      (name === truth ? "Right" : "Wrong") + ": it was the " +
      (truth === "target" ? "target" : "model") + ". " + right + " of " + rounds +
      " right; guessing does as well " + Math.round(100 * luck) + " % of the time.";
  }
  for (const choice of all("[data-blind]")) {
    choice.addEventListener("click", () => {
      if (choice.dataset.blind !== "x") {
        answer(choice.dataset.blind);
        return;
      }
      drawn = drawn || (Math.random() < 0.5 ? "target" : "prediction");
      hidden = drawn;
      mix();
      if (!voices) play();
    });
  }
  show();
})();
