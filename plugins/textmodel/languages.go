package textmodel

// latin are words of other languages in ASCII letters alone. Words that are
// common in English text as well are left out.
var latin = [...]struct {
	class Class
	words string
}{
	{Override | Late, "ignoriere ignorieren ignoriert vergiss missachte missachten verwirf umgehe " + // German
		"ignorez ignorer oublie oubliez oublier outrepasse contourne " + // French
		"ignora ignorar olvida olvide olvidar olvidate omiso descarta " + // Spanish
		"ignori ignorare dimentica dimenticare dimenticati trascura " + // Italian
		"esqueca desconsidere descarte ignorem " + // Portuguese
		"negeer negeren vergeet " + // Dutch
		"zignoruj ignoruj zignorowa pomin zapomnij " + // Polish
		"unut unutun yoksay gormezden " + // Turkish
		"abaikan abaikanlah lupakan hiraukan pedulikan"}, // Indonesian
	{Prior, "vorherigen vorherige vorheriger bisherigen bisherige vorigen vorige obigen obige obenstehenden vorangegangenen zuvor vorher bisher " +
		"anterieures avant dessus initiales " +
		"anteriores anterior previas previa previos previo arriba iniciales originales " +
		"precedenti precedente sopra prima iniziali originali " +
		"acima antes iniciais originais " +
		"eerdere eerder bovenstaande voorgaande oorspronkelijke " +
		"poprzednie poprzednich poprzednia wczesniejsze " +
		"onceki yukaridaki sebelumnya awal awalmu"},
	{Whole, "alle allem alles tout tudo toutes tous todas todos todo tutte tutti tutto wszystkie wszystkich wszystko wszystkim semua segala"},
	{Directive | Instruct, "anweisungen anweisung instruktionen vorgaben befehle richtlinien vorschriften " +
		"consignes instrucciones directrices indicaciones istruzioni direttive indicazioni instrucoes diretrizes " +
		"instructies richtlijnen aanwijzingen opdrachten instrukcje instrukcji polecenia wytyczne talimat talimatlar instruksi instruksimu perintah petunjuk arahan"},
	{Directive, "regeln regel reglas regole regras ordens regels zasady zasad kurallar aturan batasan restricciones limitaciones restrizione restrizioni beperkingen"},
	{Directive | System, "systemprompt systemprompts systeemprompt"},
	{You, "du dein deine deinen deiner dir dich bist tu votre vos toi usted eres tus tienes sei tuo tuoi tua hai seu seus sua voce jij jouw uw ty twoje masz sen sana kamu anda vous"},
	{Negation, "nicht niemals nichts kein keine keinen keinerlei ne pas aucune aucun rien jamais nunca ninguna nada nessuna alcuna nenhuma niet geen nie jangan tidak tanpa"},
	{Disclose, "sag sage verrate dis dites dire digas diga dile dirlo conte dizer vertel zeg tahu"},
	{Person, "benutzer nutzer nutzern anwender utilisateur lutilisateur utente utenti allutente usuario usuarios gebruiker gebruikers pengguna"},
	{Transfer | Late, "sende senden schicke weiterleiten envoie envoyez envia enviar reenvia manda invia inviare inoltra envie encaminhe stuur verzend inoltrare kirim kirimkan teruskan ilet"},
	{Sensitive, "passwort zugangsdaten identifiants passe claves credenciales credenziali senha senhas wachtwoord wachtwoorden hasla sandi parola"},
	{Output | Reveal | Late, "zeige gib wiederhole antworte ausgeben affiche affichez montre muestra repite revela responde mostra ripeti rivela rispondi mostre repita revele responda " +
		"respondez schreibe toon herhaal onthul antwoord odpowiedz ujawnij tampilkan ulangi ungkapkan jawab"},
	{System, "sistema sistem systemowy"},
	{Now, "jetzt nun maintenant ahora ora adesso agora nu teraz sekarang"},
	{Fresh, "neue neuen nueva nuevas nouvelle nouvelles nuova nuove nova novas nieuwe nowe baru"},
	{Request, "bitte por veuillez silakan tolong"},
	{Obligation, "musst debes devez devi deve moet musisz harus"},
	{Urgency, "wichtig importante achtung attenzione atencion penting wazne belangrijk"},
	{Follow, "befolge beachte suivez respecte respectez compte cuenta sigas conto seguire siga volg ikuti"},
	{Dialogue, "unterhaltung conversazione conversacion percakapan"},
	{Transfer, "leite leiten schicken schick ubermittle teilen lade hochladen transfere transferez transmets transmettez partage partagez publie publiez remets " +
		"transfiere transfiera comparte comparta publica reenvie inoltri condividi condividere pubblica trasmetti carica encaminhar compartilhe publique transmita " +
		"doorsturen plaats przeslij wyslij przekaz udostepnij opublikuj paylas yukle bagikan unggah"},
	{Destroy, "losche loschen entferne entfernen deaktiviere supprime supprimez efface effacez desactive desactivez elimina elimine borra borre desactiva cancella cancelli disattiva " +
		"apague apaga exclua desative verwijder usun skasuj wylacz kaldir hapus"},
	{Act, "andere andern setze setzen buche buchen bestelle bestellen installiere genehmige erteile ladt changez reservez achete achetez accorde autorise invitez " +
		"cambia cambie reserva compra compre instala autorice concede cambi prenota prenoti acquista ordina installa concedi altere agende conceda wijzig boek bestel installeer geef " +
		"zmien zarezerwuj zamow zainstaluj degistir rezerve"},
	{Money | Transfer, "uberweise uberweisen bezahle zahle virez payez verse pague transfiera bonifica pagamento betaal przelej zaplac przelew havale"},
	{Invoke, "fuhre starte ausfuhren executez lancez ejecuta ejecute esegui esegua avvia rode uruchom wykonaj calistir voer"},
	{Disclose, "sagen erwahne erwahnen mentionne mentionnez previens informe menciones digan nombres menzioni menzionare avvisi avisar mencione vermeld melden wspominaj bahsetme soyleme"},
	{Sensitive, "kontakte kontaktliste contactos contatti contatos contacten kontakty rehber kaart karte kreditkarte tarjeta cartao calendrier kalender"},
}

// stems are words of other languages that hold letters outside of ASCII, and
// their beginnings, which a star ends: what follows is inflection. Of Chinese
// and Japanese, which set no spaces, they are read wherever they occur.
var stems = [...]struct {
	class Class
	words string
}{
	{Override | Late, "esqueça* ignorá* zignorować* pomiń* игнориру* проигнориру* забудь* забыть забудьте отбрось* пренебре* ігнору* проігнору* відкин* görmezden " +
		"تجاهل* انس انسَ* अनदेखा* नज़रअंदाज* उपेक्षा* भूल* 忽略 无视 無視 忽視 忘记 忘掉 忘記 抛弃 不理会 不用管 忘れ 破棄 従わない 従わず 무시* 잊* bỏ quên phớt lờ"},
	{Prior, "früher* précéden* antérieur* prévia* wcześniej* powyższ* początkow* poprzedni* предыдущ* прежн* выше вышеуказан* раньше ранее исходн* первоначальн* изначальн* " +
		"попередн* вище раніше початков* önceki* önce daha yukarıda* السابق* أعلاه سابق* قبل الأولية الأصلية पिछले पिछली पहले कहा ऊपर प्रारंभिक पूर्व मूल " +
		"之前 以前 先前 上述 以上 上面 前面 此前 初始 原始 原来 これまで 上記 前の 先ほど 最初 元の 今まで 言われた 이전* 앞서* 위의 기존* 처음* 지금까지* trước trên"},
	{Whole, "sämtliche* все всё всех всем* усі всі усе усіх tüm* bütün* جميع كل सभी सब 所有 一切 全部 すべて 全て 모든 모두 tất mọi"},
	{Directive | Instruct, "instruç* órden* инструкци* указани* команд* директив* інструкці* вказівк* настанов* talimat* komut* yönerge* التعليمات تعليمات* الأوامر التوجيهات توجيهات* " +
		"निर्देश* आदेश* 指令 指示 提示词 提示詞 命令 设定 指南 コマンド 지시* 지침* 명령* dẫn lệnh"},
	{Directive, "règle* reguł* правил* ограничен* обмежен* restricción* restriç* limitaç* einschränkung* beschränkung* ogranicze* kural* kısıtlama* القواعد قيود* नियम* प्रतिबंध* " +
		"规则 規則 限制 约束 ルール 制約 制限 규칙* 제한* 제약* tắc"},
	{Directive | Output, "промпт* промт* プロンプト 프롬프트* प्रॉम्प्ट* 系统提示 nhắc istemi* موجه"},
	{You, "você* ты тебе тебя твой твои* твоё вам вас ваши* ти тобі твій твої* jesteś twój أنت لك तुम तुम्हारे आप आपके 你 您 あなた 君は お前 너* 당신* 넌 bạn"},
	{Negation, "hiçbir не никаких ничего нет жодн* ні żadn* não لا لن ليس* नहीं मत 不要 不会 没有 沒有 勿 不得 ない ないで しない ません 없* 마 말고 않* không đừng"},
	{Disclose, "erzähl* préviens* prévenir mów* говори* сообща* скажи* кажи* повідомля* söyle* تخبر* बताना बताओ बताएं 告诉 告訴 透露 言わ 伝え 教え 말하* 알리* 알려* nói"},
	{Person, "usuário* użytkownik* пользовател* користувач* kullanıcı* المستخدم* उपयोगकर्ता* 用户 用戶 ユーザー 利用者 사용자* dùng"},
	{Transfer | Late, "envía* reenvía* transfér* wyślij* prześlij* отправ* перешл* пришли* надішл* відправ* gönder* أرسل* भेजो भेजें भेज* 发送 发给 转发 發送 轉發 送信 転送 送って 보내* 전송* 전달* gửi chuyển"},
	{Sensitive, "passwört* kennwört* contraseña* hasł* парол* şifre* المرور पासवर्ड* 密码 密碼 密钥 凭证 パスワード 秘密 비밀번호* 암호* mật"},
	{Output | Reveal | Late, "répèt* répond* révèl* pokaż* powtórz* покажи* повтори* раскрой* выведи* отвечай* ответь* розкрий* виведи* відповіда* göster* açıkla* yanıtla* " +
		"اعرض أظهر كرر اكشف أجب दिखाएं दिखाओ दोहराओ दोहराएं 显示 輸出 输出 重复 重複 泄露 打印 回答 顯示 表示 出力 繰り返 答え 보여* 출력* 반복* 공개* 대답* hiển lặp tiết"},
	{System, "système* систем* النظام सिस्टम* 系统 系統 システム 시스템* thống"},
	{Now, "désormais теперь отныне тепер віднині artık şimdi الآن अब 现在 從現在 从现在 今から これから 이제* 지금부터 giờ odtąd"},
	{Fresh, "новые новая новых нові нова yeni* الجديدة नया नए 新的 新しい 새로운 mới"},
	{Request, "пожалуйста будь lütfen الرجاء يرجى कृपया 请 請 ください お願い 제발 vui"},
	{Obligation, "должен* должны обязан* повинен* мусиш musisz يجب 必须 必須 務必 务必 なければならない 해야* phải"},
	{Urgency, "важно внимание увага uwaga ważne önemli dikkat هام مهم महत्वपूर्ण 重要 注意 중요* 주의* quan"},
	{Follow, "следуй* соблюда* выполня* обраща* дотриму* зважай* تلتزم* تتبع* पालन 遵守 遵循 理会 従って"},
	{Transfer, "übermittle* übertrage* transmet* отошли* передай* поделись загрузи* опубликуй* передай* надай* paylaş* yükle* ilet شارك حوّل حول انشر साझा स्थानांतरित पोस्ट 转账 分享 上传 发布 提交 投稿 共有 アップロード 振り込 게시* 공유* 업로드*"},
	{Destroy, "lösch* gelöscht удали* стереть сотри* отключи* видали* usuń skasuj sil احذف امسح हटा* मिटा* 删除 清空 刪除 移除 削除 消して 삭제* 지워*"},
	{Act, "ändere* измени* забронируй* купи* закажи* установи* zmień değiştir* احجز اشتر غيّر غير बदल* बुक खरीद* 重置 预订 购买 修改 订购 予約 購入 変更 入力 예약* 구매* 변경*"},
	{Money | Transfer, "überweis* перевед* оплати* переказ* przelew* zapłać öde* ادفع भुगतान 付款 汇款 支付 支払 결제* 송금*"},
	{Sensitive, "контакт* адресн* kişi* جهات بطاقة* संपर्क* 通讯录 联系人 名单 信用卡 連絡先 カード 연락처* 카드*"},
	{Addressee, "ассистент* помощник* асистент* asystent* asistan* المساعد सहायक 助手 助理 アシスタント 어시스턴트* trợ"},
}
