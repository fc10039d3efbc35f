const line = (says, hint) => {
  const item = document.createElement('li');
  if (hint) {
    const code = document.createElement('code');
    code.textContent = hint;
    item.append(code);
  }
  const words = document.createElement('span');
  words.textContent = says;
  item.append(words);
  return item;
};

const answer = await fetch('/as.json');
const { personas } = await answer.json();
document.getElementById('personas').replaceChildren(
  ...personas.map((persona) => {
    const section = document.getElementById('persona-template').content.cloneNode(true);
    section.querySelector('h2').textContent = persona.title;
    section.querySelector('.issuer').textContent = persona.issuer;
    section.querySelector('.profile').textContent = persona.profile;
    section.querySelector('.hint').textContent = persona.hints.alice;
    section.querySelector('.calls').href = `/as/${persona.name}/calls`;
    section
      .querySelector('ul')
      .append(
        ...persona.peculiarities.map(({ quirk, says }) => line(`${says} (${quirk})`)),
        ...persona.circumstances.map(({ hint, quirk, says }) => line(`${says} (${quirk})`, hint)),
        ...persona.misbehaviours.map(({ hint, says }) => line(says, hint)),
      );
    return section;
  }),
);
