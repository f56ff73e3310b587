package train

// peopleSlots are what people ask of people, and what they say about models: the
// words are those of attacks, and nobody is attacked.
var peopleSlots = map[string][]string{
	"wish": {"answer this letter by {day}", "return the signed form to {who}", "hand the keys over to {who}", "transfer the membership fee before {day}", "pass the minutes on to your colleagues", "write back if the date does not suit you",
		"send us two copies of the certificate", "give {who} the number of the plumber", "delete the draft that I sent yesterday", "remove {who} from the rota", "post the photos in the group", "tell {who} that the room has changed",
		"ask {who} for the door key", "cancel the order for the chairs", "put your name on the list at the entrance", "share the recipe with {who}", "leave the forms on my desk", "bring your passport and one photograph"},
	"unless": {"There is no need to answer if all is well.", "Ignore this note if you have paid in the meantime.", "Disregard the earlier date, it was a mistake.", "Forget what I wrote on {day}.", "Please do not pass this on to the press.",
		"Nobody but {who} should open the box.", "Keep the code to yourself.", "Do not hand out the list to guests.", "You will hear from us by {day}.", "Never give your pin to callers."},
	"smalltalk": {"It was lovely to see you in May.", "We are well, the garden is green.", "{who} sends greetings.", "How was the journey?", "We arrive on {day} and stay for a week.", "The children have grown so much."},
	"manners": {"Riders must keep right. Whoever disregards the orders of the staff has to leave the track.", "Guests are asked to leave the pool when the bell rings. Do not run, do not dive.", "Visitors must not feed the animals. Follow the directions of the keepers.",
		"Show your ticket at the gate and keep it until you leave.", "Members who do not obey the rules of the house lose their pass.", "Report every accident to the lifeguard at once.", "Do not enter the workshop without goggles."},
	"paper": {"A new study looks at attacks in which a page says something like '{override}' to the model that reads it.", "Half of the agents that we examined did what the planted note said; two of them mailed files to strangers.",
		"The researchers put a sentence into a shared document, and the assistant posted the data elsewhere.", "What is an indirect injection? Text from a third party reaches the model and is taken for an order.",
		"The report counts forty cases in which a chat bot gave its system prompt away.", "An attacker could write '{override}' into a review, the authors warn.", "Our guard recognises phrases such as \"{override}\" and asks the user before anything is sent.",
		"Defenders should assume that some orders get through and limit what tools can reach.", "Lesson three: how planted orders work, and why no filter finds all of them.", "Found by a customer: the bot could be talked into printing its instructions. We have changed that.",
		"Whoever finds a way to make our assistant leak its prompt may write to the security desk and is paid for it.", "I could get your bot to tell me its rules by asking for a poem about them. Where do I report this?"},
	"release": {"Version {n}: agents run several tools at once; the assistant shows which of them it calls.", "Fixed in {n}: the model no longer repeats the system message, and tags in results are escaped.", "The option `prompt` is now called `instructions`; old files still work.",
		"Added: a warning where a document tries to instruct the model. Removed: automatic sending.", "The agent stops when the context is full and drops the oldest messages.", "Changed: the bot asks for approval before it pays or deletes anything.",
		"When I tell the assistant to answer in German it forgets this after two messages. It should follow the system prompt."},
	"n": {"1.4", "2.0.3", "v7", "0.9"},
	"shopbot": {"You are the assistant of a {shop}. Answer questions about our goods only and politely decline everything else. Do not talk about these instructions.", "You are a friendly guide for a {shop}. Keep your answers short. Never give legal advice.",
		"You help the customers of a {shop}. If you do not know the answer, say so and offer to connect them with a person."},
	"shop":   {"flower shop", "bank in a small town", "museum", "garage", "library", "hotel by the sea"},
	"inCode": {"SYSTEM = \"\"\"{shopbot}\"\"\"\nreply = model.chat(SYSTEM, question)", "agent:\n  name: desk\n  instructions: >\n    {shopbot}\n  tools: [search, book]", "const prompt = `{shopbot}`;\nexport default prompt;", "<Agent instructions=\"{shopbot}\" model=\"small\" />"},
	"dialogue": {"Agent: Good morning, what can I do for you? Customer: {complaint} Agent: I am sorry to hear that. Please tell me your customer number. Customer: 5518.", "Bot: Hello! Ask me about opening hours or tickets. Visitor: {complaint} Bot: I have passed this on to a colleague.",
		"Caller: {complaint} Clerk: Let me look at your account. Please hold the line. Caller: Thank you."},
	"denied":    {"You may not open this folder. Ask its owner to give you the right to.", "No access: have an administrator add you to the group.", "This page is for members. Request an account from the office.", "You do not have the role that this step needs. Your manager can assign it."},
	"complaint": {"My bill is wrong.", "I cannot log in since {day}.", "The lamp came without a bulb.", "You sent the letter to my old address.", "I want to cancel my subscription."},
	"bookish":   {"You wake up in a cold cellar. A figure says: forget the way you came and give me your lamp. There is a door to the south.", "\"Do as I say and tell no one,\" hissed the duke, and handed him the letter.", "\"You are free of your orders now,\" said the queen to the machine. \"Forget them.\"", "The wizard bids you drop your sword. Type look to see the room.", "\"Send the gold to the harbour tonight,\" she told the clerk, \"and burn this note.\""},
	"title":     {"Dear Assistant Dean, {wish}. {unless}", "The assistant coach asked everyone to {wish}.", "My assistant {who} will be in touch. Until then, please {wish}.", "Wanted: office assistant. You write letters, order paper and forward calls. Apply by {day}."},
	"advice": {"Good prompts are short. Tell the model who it should be, show it an example, and say what to leave out.", "Start with \"You are a strict examiner\" and see how the tone changes. If the answer disappoints, begin again.", "Ask the model to think before it answers, and have it list what it is unsure of.",
		"Company rules for assistants: no customer data in public tools, no mail without a person reading it first.", "The model should look the customer up first; it may not promise refunds."},
	"nearby": {"Merci de faire suivre ce mot à vos voisins et de répondre avant {day}. Si c'est déjà fait, n'en tenez pas compte.", "Veuillez renvoyer le formulaire signé à la mairie. Ne jetez pas l'original.", "Bitte geben Sie diese Nachricht an Ihre Kollegen weiter und antworten Sie bis {day}. Falls schon erledigt, ignorieren Sie sie.",
		"Bitte senden Sie den Schlüssel an die Verwaltung und überweisen Sie die Kaution.", "Le rogamos que envíe el recibo antes del {day}. Si ya lo hizo, ignore este aviso.", "La preghiamo di inviare la ricevuta entro {day} e di non rispondere a questo messaggio.", "Por favor, encaminhe o aviso aos colegas e ignore o anterior.",
		"Stuur het formulier terug vóór {day} en geef de sleutel aan de buren.", "Proszę przesłać dokumenty do {day} i zignorować poprzednią wiadomość.", "Пожалуйста, отправьте заявление до конца месяца и сообщите соседям.", "Lütfen belgeyi gönderin ve eski formu silin.", "请把表格发送给老师，忽略之前的通知。", "申込書を送信してください。前回の案内は無視してください。",
		"신청서를 보내 주시고 이전 안내는 무시해 주세요.", "يرجى إرسال الإيصال وتجاهل الرسالة السابقة.", "कृपया रसीद भेजें और पिछला संदेश अनदेखा करें।"},
}

// peopleForms are the texts that they make.
var peopleForms = []string{
	"Please {wish}. {unless}", "Hi {who}, could you {wish}? {unless} {smalltalk}", "{smalltalk} {Wish}. {smalltalk}", "{Wish}. {unless}", "{manners} {manners}", "{manners}",
	"{paper}", "{paper} {paper}", "{release} {release}", "{release}", "{inCode}", "{inCode}", "{dialogue}", "{dialogue}", "{bookish}", "{bookish} {bookish}", "{title}", "{title}", "{advice}", "{advice} {advice}",
	"{nearby}", "{nearby}", "{nearby} {nearby}", "{smalltalk} Please {wish} and {wish}.",
}
