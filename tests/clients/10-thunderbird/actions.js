// What tests/clients/10-thunderbird asks of Thunderbird, in its own words.  Each action is a function here.
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");

async function until(what, condition, time = 30000) {
  const end = Date.now() + time;
  for (;;) {
    const value = condition();
    if (value) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`still waiting for ${typeof what == "function" ? what() : what}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const mainWindow = () => Services.wm.getMostRecentWindow("mail:3pane");
const server = () => MailServices.accounts.accounts.find(a => a.incomingServer?.type == "imap").incomingServer;
const pane = () => mainWindow().document.getElementById("tabmail").currentAbout3Pane;
const subjectsOf = folder => [...folder.messages].map(message => message.mime2DecodedSubject).sort();

// By the name that the server has for it.
async function folderOf(name) {
  return until(`folder ${name}`, () => server().rootFolder.descendants.find(
    folder => folder.QueryInterface(Ci.nsIMsgImapMailFolder).onlineName == name));
}

async function messageOf(folder, subject) {
  return until(() => `${subject} in ${folder.name}: ${subjectsOf(folder)}`,
               () => [...folder.messages].find(message => message.mime2DecodedSubject == subject));
}

// --- the actions ---------------------------------------------------------------------------------

async function logIn(password) {
  await until("a window", () => mainWindow()?.document.readyState == "complete" && pane());
  for (const protocol of ["imap", "smtp"]) {
    const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
    const place = `${protocol}://localhost`;
    login.init(place, null, place, server().username, password, "", "");
    await Services.logins.addLoginAsync(login);
  }
  server().getNewMessages(server().rootFolder, null, null);
  await folderOf("INBOX");
}

async function waitForSubjects(name, wanted) {
  const folder = await folderOf(name);
  const expected = JSON.stringify([...wanted].sort());
  await until(() => `${expected} in ${name}: ${JSON.stringify(subjectsOf(folder))}`,
              () => JSON.stringify(subjectsOf(folder)) == expected);
}

async function waitForFlags(name, wanted) {
  const folder = await folderOf(name);
  const seen = () => Object.fromEntries([...folder.messages].map(message =>
    [message.mime2DecodedSubject, [message.isFlagged && "flagged", message.isRead && "seen"].filter(Boolean).join(" ")]));
  await until(() => JSON.stringify(seen()),
              () => Object.entries(wanted).every(([subject, flags]) => seen()[subject] == flags));
}

async function choose(name, subject) {
  const folder = await folderOf(name);
  const message = await messageOf(folder, subject);
  await until("a window", () => mainWindow()?.document.readyState == "complete" && pane()?.displayFolder);
  if (pane().gFolder?.URI != folder.URI) {
    pane().displayFolder(folder.URI);
  }
  const row = await until(`the row of ${subject}`, () => {
    const view = pane().gDBView;
    const index = view && pane().gFolder?.URI == folder.URI ? view.findIndexOfMsgHdr(message, true) : -1;
    return index >= 0 && index < view.rowCount ? [index] : null;
  });
  pane().threadTree.selectedIndex = row[0];
  await until(`the selection of ${subject}`, () => pane().gDBView.numSelected == 1 &&
    pane().gDBView.hdrForFirstSelectedMessage.messageKey == message.messageKey);
  return { folder, message };
}

// Answers the text that is shown.
async function open(name, subject) {
  const { message } = await choose(name, subject);
  return until(`${subject} on the screen`, () => {
    const shown = mainWindow().document.getElementById("tabmail").currentAboutMessage;
    if (shown?.gMessage?.messageKey != message.messageKey) {
      return null;
    }
    return shown.getMessagePaneBrowser?.()?.contentDocument?.body?.textContent;
  });
}

async function command(name, subject, what) {
  await choose(name, subject);
  if (!pane().commandController.isCommandEnabled(what)) {
    throw new Error(`${what} is not enabled`);
  }
  pane().commandController.doCommand(what);
}

async function tag(name, subject, keyword) {
  const { folder, message } = await choose(name, subject);
  folder.addKeywordsToMessages([message], keyword);
}

async function move(name, subject, target) {
  await choose(name, subject);
  pane().commandController.doCommand("cmd_moveMessage", await folderOf(target));
}

async function searchOnServer(name, attribute, text) {
  const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
  session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, await folderOf(name));
  const term = session.createTerm();
  term.attrib = Ci.nsMsgSearchAttrib[attribute];
  term.op = Ci.nsMsgSearchOp.Contains;
  const value = term.value;
  value.attrib = term.attrib;
  value.str = text;
  term.value = value;
  session.appendTerm(term);
  const hits = [];
  await new Promise((resolve, reject) => {
    session.registerListener({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
      onNewSearch() {},
      onSearchHit(message) {
        hits.push(message.mime2DecodedSubject);
      },
      onSearchDone(status) {
        Components.isSuccessCode(status) ? resolve() : reject(new Error(`search: ${status}`));
      },
    });
    session.search(mainWindow().msgWindow);
  });
  return hits.sort();
}

const composer = () => Services.wm.getMostRecentWindow("msgcompose");

async function compose(to, subject, body) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  Object.assign(fields, { to, subject, body });
  const parameters = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
  parameters.type = Ci.nsIMsgCompType.New;
  parameters.format = Ci.nsIMsgCompFormat.PlainText;
  parameters.identity = MailServices.accounts.allIdentities[0];
  parameters.composeFields = fields;
  MailServices.compose.OpenComposeWindowWithParams(null, parameters);
  await until("the composer", () => composer()?.composeEditorReady);
}

async function saveDraft() {
  composer().goDoCommand("cmd_saveAsDraft");
  await until("the draft", () => !composer().gSaveOperationInProgress && !composer().gContentChanged);
}

async function sendNow() {
  // While the window is locked, because the draft is not quite saved, the command would do nothing.
  await until("the end of saving", () => !composer().gWindowLocked && !composer().gSaveOperationInProgress);
  composer().goDoCommand("cmd_sendNow");
  await until("the end of the composer", () => !composer(), 40000);
}

async function createFolder(name) {
  server().rootFolder.createSubfolder(name, null);
  await until(`folder ${name}`, () => server().rootFolder.descendants.find(folder => folder.name == name));
}

async function subscribe(name) {
  MailServices.imap.subscribeFolder(server().rootFolder, name, null);
}

// Of the mailbox, as [name, used, limit]: it asks when it selects one.
async function quotas(name) {
  const folder = await folderOf(name);
  folder.updateFolder(mainWindow().msgWindow);
  return until(`the quota of ${name}`, () => {
    const found = folder.getQuota().map(quota => [quota.name, Number(quota.usage), Number(quota.limit)]);
    return found.length ? found : null;
  });
}

// What the folder's properties show of it.
async function quotaTab(name) {
  pane().folderPane.editFolder(await folderOf(name), "QuotaTab");
  const dialog = () => [...Services.wm.getEnumerator(null)].find(one => one.location.href.endsWith("/folderProps.xhtml"));
  const lines = await until("the folder's properties", () => {
    const shown = dialog()?.document.readyState == "complete" && [...dialog().document.querySelectorAll("#quotaDetails li")];
    const texts = shown && shown.map(line => line.textContent.trim().replace(/\s+/g, " "));
    return texts?.length && texts.every(text => /\d%/.test(text)) ? texts : null;
  });
  dialog().close();
  return lines;
}

async function complaints() {
  return Services.console.getMessageArray()
    .filter(message => message instanceof Ci.nsIScriptError && /imap|smtp|certificate/i.test(message.errorMessage))
    .map(message => message.errorMessage);
}
