"""Common words of questions and requests, by language.

Three letters at a time, which is all that the detector looks at in low accuracy, tell little of a short
question; a `what`, a `warum` or a `por favor` tells a lot. Languages with a script of their own need none.
"""

import re
from collections import defaultdict

_WORDS = {
    "af": "die en is nie ek jy dit wat vir met van het hoe hoekom hoeveel asseblief dankie kan hierdie sal "
    "maar my hallo goeie môre skryf verduidelik maak gee baie as ons nog voorbeeld resep verskil "
    "tussen engels afrikaans by deur om uit oor tot dan ook daar hulle hy julle dié moet sou watter "
    "teks sin wie nuwe n jou installeer",
    "ar": "في من على ما هل هذا هذه كيف لماذا أن إلى عن كم أريد التي الذي مع لا شكرا كان مرحبا صباح الخير "
    "مساء السلام عليكم اكتب اشرح لخص ترجم هي هو لي مثال آخر فضلك وصفة الفرق بين الإنجليزية العربية "
    "أين متى هناك كل بعد قبل عند حول أو ثم قد كانت يكون لدي اجعل جملة نص",
    "az": "və bu nə necə niyə üçün ilə bir mən sən deyil var daha çox hansı haqqında xahiş edirəm zaman "
    "olan salam xeyir yaz izah et sağ ol təşəkkür mənə",
    "be": "і не што як чаму гэта ў на мне ёсць калі дзе колькі каб я ты мой дзякуй або добры дзень раніцы "
    "прывітанне напішы так ён яшчэ адзін прыклад рэцэпт паміж быць быў будзе толькі ўжо за ад да пра",
    "bg": "здравейте и е да не на за се какво как защо колко това тази моля благодаря аз ли съм са от с по "
    "кога къде ми ти го здравей добро добър утро ден напиши обясни преведи направи много още един "
    "пример рецепта разлика между английски български беше бъде само вече до при под над него нея "
    "тях нас вас мен кой трябва мога можеш текст или но си",
    "bs": "šta kako zašto gdje je da se i u na za sam može hvala molim ovo kada koliko sta bih ovaj mjesec "
    "zdravo dobar dobro jutro dan napiši objasni prevedi još jedan primjer recept razlika između od "
    "bez su bio bila imam ko također samo više mogu naći tekst ova bit biti li uvijek",
    "ca": "què una el la els les i és amb per com quin quina quant això aquest aquesta si us plau gràcies "
    "no em dels són meu hola bon bona dia escriu explica fes resum molt quan pot un altre exemple "
    "recepta diferència entre anglès català hi ha del al als pel més també però on sense fins tot "
    "tots aquests aquelles he has text frase vull l d s",
    "cs": "a je se na že co jak proč kolik kde prosím děkuji jsem není to ten jaký která pro mi ale když "
    "můžeš o si už ahoj dobrý dobré ráno den večer napiš vysvětli přelož udělej děkuju mám ještě "
    "jeden příklad recept rozdíl mezi angličtiny anglicky česky od přes za bez po tento tato této "
    "jsou byl byla bude být mít kdo kdy také jen více text věta mě mu ji ho nás ve nebo najdu",
    "cy": "y yr yn a i o mae beth sut pam ydy fy chi dw faint ble pryd diolch os gwelwch rydw ar wedi ei "
    "bore da helo ysgrifennwch ysgrifenna esboniwch",
    "da": "og er det en ikke hvad hvordan hvorfor jeg du på til af med som har kan hvor tak mig for den et "
    "fra meget skal hej godmorgen goddag skriv forklar lav giv tusind hvilken hvilke kunne eksempel "
    "opskrift forskel forskellen mellem engelsk dansk ved om ud op så men også han hun vi de dem "
    "denne dette disse havde bliver blive skulle hvilket tekst sætning bare alle mere efter ville "
    "noget nogle hvornår hvem",
    "de": "der die das und ist nicht ich du wie was warum wo ein eine mit für es zu bitte danke auf kann "
    "den im wir von hallo guten morgen abend tag schreibe schreib erkläre mach übersetze fasse mir "
    "gib vielen sind als aber oder noch finde heißt einmal beispiel weitere rezept unterschied "
    "zwischen zum zur bei nach vom dem des sich man gibt mehr nur mal ja nein bin hast haben wird "
    "werden welche welcher welches diese dieser dieses unser ihr ihre meine mein text satz wort hier "
    "richtig sie er soll muss sollte könnte möchte",
    "en": "the a is are and to of in it what how why when where do does you i my me can please thanks for "
    "this that with not on be have hello hi good morning evening thank hey write explain make "
    "translate summarize summarise give fix tell an or if there was will should would could which "
    "who no yes at by from any about into between using best need get want list name many much did "
    "has had his her their they we he she its been than then only also up out all more most some "
    "each other first following create find show s t re m difference example another use used work "
    "without because while here say mean meaning correct sentence answer questions word words day "
    "new people time year add change text file line code data way after before over capital recipe "
    "remove",
    "eo": "la kaj estas mi vi kio kiel kial kiom kie por de en ne ĉu ke dankon al tio ĉi bonvolu saluton "
    "bonan tagon skribu klarigu",
    "es": "el la los las y es en qué cómo por un una de no se me para con cuánto cuál dónde gracias hola "
    "que mi esto este esta favor buenos buenas días tardes escribe explica haz traduce resume dame "
    "muchas muy hacer puedes como más su al otro otra ejemplo receta inglés español entre diferencia "
    "está están hay fue ser soy eres tiene tengo mis tu tus sus lo le les nos si sí ya pero porque "
    "cuando sobre sin hasta desde todo todos esa ese eso aquí escrito bien texto frase cual quién "
    "quiero necesito del",
    "et": "ja on ei mis kuidas miks kui ma sa see mul palun aitäh kus millal palju ning oma selle olen "
    "saab tere hommikust päevast kirjuta seleta tee tänan veel üks näide retsept vahe inglise eesti "
    "ka või aga kes need",
    "eu": "eta da ez zer nola zergatik bat hau zein noiz non zenbat mesedez eskerrik dut naiz dago nire du "
    "duen kaixo egun on idatzi azaldu egin itzuli beste adibide errezeta arteko ingelesez euskaraz "
    "ere baina edo nor",
    "fa": "و در به از که این چه چرا چگونه چطور است را برای با من می چند لطفا آیا هست کن شما سلام صبح بخیر "
    "بنویس توضیح بده خلاصه ممنون یک مثال دیگر دستور فرق بین انگلیسی فارسی کجا کی هم یا اگر تا بر خود "
    "باید بود شد متن جمله",
    "fi": "ja on ei mikä mitä miten miksi se minä sinä että kun voi kiitos missä paljonko tämä oli minun "
    "onko ole hei moi hyvää huomenta päivää kirjoita selitä tee käännä paljon kiitoksia vielä yksi "
    "esimerkki resepti ero välillä englanniksi suomeksi asennan hän me te he myös mutta tai niin "
    "kuin siitä tätä sitä ovat olen olet voin voit pitää saan en älä lause teksti mistä kuka joka "
    "jos",
    "fr": "ce ces signifie mot corrige quoi merci le la les et est un une des de que qui comment pourquoi "
    "je tu vous pas pour dans combien où quel quelle avec mon ça bonjour bonsoir salut écris rédige "
    "explique fais traduis résume donne beaucoup très au aux sur sont plus cette moi avoir c d l j s "
    "n qu m exemple encore autre recette anglais français différence entre par se son sa ses leur "
    "leurs nous ils elle il elles on ai as a été fait faut peux peut mes ma toi y en si même tout "
    "tous toute sans sous cet texte phrase",
    "ga": "an na agus is tá ar cad conas cén mé tú sé go le do níl bhfuil maith raibh seo as cá dia duit "
    "scríobh mínigh",
    "hi": "है और का की के में क्या कैसे क्यों मुझे यह नहीं हैं से को कितना कितनी आप मैं पर कृपया नमस्ते "
    "धन्यवाद लिखो लिखिए बताओ बताइए समझाओ करें लिए इस एक उदाहरण दो अंग्रेज़ी हिंदी कहाँ कब था थे भी "
    "या अगर तो करना करो वाक्य मेरा मेरी होता",
    "hr": "možeš pomoći napisati izvještaj što kako zašto gdje je da se i u na za sam može hvala molim ovo "
    "kada koliko bih tjedan tko uvijek ovaj bok dobar dobro jutro dan večer napiši objasni prevedi "
    "napravi danas si još jedan primjer recept razlika između engleski hrvatski od kroz bez po ova "
    "su bio bila bit biti imam kad također samo više tekst rečenica mene mu joj ga nas ili mogu naći",
    "hu": "a az és nem hogy mi miért hogyan mennyi hol egy ez van én te kell köszönöm kérem mit meg de "
    "volt szép szia jó reggelt napot estét írj írd magyarázd fordítsd szépen ezt vagy még példát "
    "recept különbség között angolul magyarul azt ezek ki mikor ha csak is ennek jelent lehet volna "
    "szeretnék tudok tud miből szöveg mondat után előtt most már",
    "id": "yang dan di ini itu apa bagaimana kenapa mengapa saya anda untuk dengan tidak bisa berapa dari "
    "terima kasih tolong karena bahwa cara kamu sudah halo selamat pagi siang malam buat buatkan "
    "tuliskan jelaskan terjemahkan ringkas banyak bagaimanakah satu contoh lagi resep perbedaan "
    "antara inggris indonesia ada akan jika kalau atau juga hanya lebih saat ketika oleh pada kepada "
    "adalah mereka kita kami teks kalimat siapa gimana memasang buatlah berikan agar supaya bukan",
    "is": "og er að ekki hvað hvernig hvers það ég þú á í til með sem við hvar mikið takk þetta af um "
    "fyrir var halló góðan daginn skrifaðu útskýrðu eitt dæmi viðbót uppskrift munur ensku íslensku "
    "líka en eða hver",
    "it": "cos perché il lo la gli e è che di un una non come cosa per con mi sono quanto dove grazie "
    "questo questa del in puoi ore ciao buongiorno buonasera salve scrivi spiegami spiega fai fammi "
    "traduci riassumi dammi mille molto ho i al nel l d c dell all nell altro altra esempio ricetta "
    "inglese italiano tra fra differenza ci si le ne dei delle degli della dal dalla alla sul sulla "
    "su tutto tutti senza perche quando anche ma se sei hai ha abbiamo fare dice testo frase voglio "
    "quale qual",
    "kk": "және бұл не қалай неге үшін мен сен бар жоқ қанша қайда қашан деп рахмет болады керек сәлем "
    "сәлеметсіз қайырлы таң күн жаз түсіндір тағы бір мысал рецепт арасындағы айырмашылық мына осы "
    "ол біз",
    "la": "et est in non quid cur ut cum sed ad quod ego tu sunt quomodo ex ubi salve",
    "lg": "nti era ki lwaki webale",
    "lt": "ir yra ne kas kaip kodėl kiek kur aš tu man prašau ačiū su kad tai šis į iš ar mano už labas "
    "rytas diena sveiki parašyk paaiškink labai dar vieną pavyzdį receptas skirtumas tarp anglų "
    "lietuvių taip pat bet arba kuris",
    "lv": "un ir nav kas kā kāpēc cik kur es tu man lūdzu paldies ar par šis uz ko vai no tas mans sveiki "
    "labrīt labdien uzraksti paskaidro iztulko vēl vienu piemēru recepte starp angļu latviešu arī "
    "bet kurš šo",
    "mi": "te ngā me ko he kia ora",
    "mk": "и е да не на за се што како зошто колку ова оваа те молам благодарам јас сум ли од со кога каде "
    "ми ги го здраво добро добар утро ден напиши објасни преведи многу уште еден пример рецепт "
    "разлика меѓу англиски македонски беше биде само веќе до при под над него неа нив нас вас мене "
    "кој треба можам можеш текст или но си",
    "mn": "ба юу яаж яагаад энэ би чи вэ байна уу хэрхэн хэд хаана надад баярлалаа гэж сайн өглөөний мэнд "
    "бичээрэй",
    "mr": "आहे आणि का काय कसे कसा मला हे नाही मी तुम्ही आहेत या ते किती कृपया कुठे नमस्कार धन्यवाद लिहा "
    "सांगा आणखी एक उदाहरण द्या इंग्रजी मराठी केव्हा होते पण किंवा जर तर माझी माझा",
    "ms": "yang dan di ini itu apa bagaimana kenapa mengapa saya awak untuk dengan tidak boleh berapa "
    "daripada terima kasih tolong kerana bahawa cara ialah hendak macam helo selamat pagi petang "
    "malam tulis jelaskan terjemahkan apakah berapakah banyak satu lagi contoh resipi perbezaan "
    "antara inggeris melayu ada akan jika kalau atau juga hanya lebih semasa oleh pada kepada adalah "
    "mereka kita kami teks ayat siapa sila bagi supaya bukan berikan beri nak",
    "nb": "og er det en ikke hva hvordan hvorfor jeg du på til av med som har kan hvor takk meg for den et "
    "fra mye skal hei god morgen morn dag skriv forklar lag gi tusen hvilken hvilke kunne hvilket "
    "eksempel oppskrift forskjell forskjellen mellom engelsk norsk ved om ut opp så men også han hun "
    "vi de dem denne dette disse hadde blir bli skulle tekst setning bare alle mer etter ville noe "
    "noen når hvem nærmeste",
    "nl": "de het een en is niet ik je jij wat hoe waarom waar van voor met dat dit te op kun kan hoeveel "
    "bedankt mijn u zijn hallo goedemorgen goedemiddag goedendag goedenavond dank schrijf leg maak "
    "geef vertaal vat deze die heel erg gaat wordt hoi nog voorbeeld graag recept verschil tussen "
    "naar engels nederlands bij door om uit over tot dan als maar ook al er ze hij wij we jullie hun "
    "heeft heb hebben worden moet moeten zou zal welke tekst zin wie welk nieuwe installeer",
    "nn": "og er det ein ikkje kva korleis kvifor eg du på til av med som har kan kvar takk meg for frå "
    "mykje skal hei god morgon skriv forklar lag gje tusen eit denne når om ut opp så men også han "
    "ho vi de dei dette desse hadde blir vart tekst berre alle meir etter ville noko nokre kven "
    "mellom ved døme",
    "pl": "i jest nie w na co jak dlaczego ile gdzie proszę dziękuję to się do z że mi czy ja mój który "
    "dla jestem po o cześć witaj dzień dobry wieczór napisz wyjaśnij zrób przetłumacz streść podaj "
    "bardzo masz są jaka jakie jeszcze jeden przykład przepis różnica między angielski polski od "
    "przez za bez ten ta te tym tego tej był była będzie być mieć mam jeśli kiedy kto też tylko "
    "bardziej tekst zdanie mnie mu jej ich nas wam poprawne",
    "pt": "quê porquê o a os as e é em que como por um uma de não se me para com quanto qual onde obrigado "
    "obrigada isso este esta do da são você meu olá oi bom boa dia tarde noite escreva explique faça "
    "faz traduza resuma muito fazer mais na no ao está tudo outro outra exemplo receita inglês "
    "português entre diferença há foi ser sou tem tenho meus minha suas seu sua lhe nos já mas "
    "porque quando sobre sem até todo todos esse essa aqui bem texto frase quero preciso dos das "
    "pelo pela pra num numa eu ele ela dá",
    "ro": "și si este e în in ce cum de un o nu să sa mi pentru cu cât cat unde care mulțumesc sunt te rog "
    "am din la pe bună salut dimineața ziua seara scrie explică fă tradu rezumă mult foarte îmi mă "
    "încă exemplu rețetă diferența între engleză română prin fără după acest această aceste era fi "
    "are ai dacă când cine doar mai text propoziție eu tu el ea noi lor sau fost",
    "ru": "и не что как почему это в на я ты мне сколько где когда для с по спасибо пожалуйста можно если "
    "мой есть какой без привет здравствуй здравствуйте доброе добрый утро день вечер напиши объясни "
    "сделай переведи расскажи большое мы он она они так дела ещё еще один пример рецепт разница "
    "между английский русский найти такое быть был была будет же только уже за от до о об при под "
    "над них его её их нас вам вас меня тебя кто чем чего нужно надо могу можешь текст использовать "
    "перевести",
    "sk": "a je sa na že čo ako prečo koľko kde prosím ďakujem som nie to ten aký ktorá pre mi ale keď "
    "môžeš o si už ahoj dobrý dobré ráno deň večer napíš vysvetli prelož urob veľmi mám čím od ešte "
    "jeden príklad recept rozdiel medzi angličtiny anglicky slovensky cez za bez po tento táto tejto "
    "sú bol bola bude byť mať kto kedy tiež len viac text veta mňa mu ju ho nás vo alebo nájdem",
    "sl": "in je se na da kaj kako zakaj koliko kje prosim hvala sem ni to ta kateri za mi ali ko lahko ki "
    "pri si zdravo živjo dobro dober jutro dan napiši razloži prevedi naredi najlepša o še en primer "
    "recept razlika med angleščino slovensko od čez brez po tem so bil bila bo biti imam kdo kdaj "
    "tudi samo več besedilo stavek me mu jo ga nas v najdem",
    "sn": "uye kuti sei chii mhoro",
    "so": "waa iyo maxay maxaa sidee in ka ku oo la ma ah waxaan imisa fadlan mahadsanid xaggee salaan "
    "subax wanaagsan qor sharax",
    "sq": "dhe është nuk të në një çfarë si pse sa ku për me unë ti faleminderit më do ky kjo e i ju lutem "
    "përshëndetje mirëmëngjes mirëdita tungjatjeta shkruaj shpjego shumë je edhe shembull recetë "
    "ndryshimi mes anglisht shqip por ose kush",
    "sr": "и је не да на шта како зашто колико где молим хвала сам ово овај се у за ми бих или може здраво "
    "добро добар јутро дан напиши објасни преведи направи много данас још један пример рецепт "
    "разлика између енглески српски су био била бити само већ до при под над њега њу њих нас вас "
    "мене ко треба могу можеш текст али си а није",
    "st": "le ho ke hore hobaneng",
    "sv": "och är det en inte vad hur varför jag du på till av med som har kan var tack mig för den ett "
    "från mycket ska att hej god morgon dag tjena skriv förklara gör ge översätt tusen så vilken "
    "vilka kunna exempel recept skillnaden skillnad mellan engelska svenska vid om ut upp men också "
    "han hon vi de dem ni denna detta dessa hade blir bli måste vilket text mening bara alla "
    "installerar betyder",
    "sw": "na ni ya wa kwa nini gani hii hiyo mimi wewe jinsi je katika la za ngapi tafadhali asante wapi "
    "naomba habari hujambo jambo asubuhi andika eleza sana mfano mwingine tofauti kati kiingereza "
    "kiswahili pia lakini au nani",
    "tl": "ang ng sa mga na ay ko mo ano paano bakit ba po hindi ito kung magkano saan salamat si ako para "
    "ka kumusta magandang umaga gabi hapon isulat ipaliwanag gawin maraming isa pang halimbawa "
    "resipe pagkakaiba ingles din pero o sino",
    "tn": "le go ke gore dumela",
    "tr": "misin mısın musun müsün misiniz bunun eder ve bu ne nasıl neden niçin için ile bir ben sen "
    "değil var daha çok hangi kaç mi mı nedir kadar bana lütfen gibi ama bugün merhaba selam "
    "günaydın iyi günler akşamlar yaz açıkla yap çevir özetle ederim teşekkür teşekkürler nasılsın "
    "olan örnek tarif fark arasındaki ingilizce türkçe bunu şu o bunlar nerede kim zaman sadece veya "
    "ya de da demek olur olarak yapılır kurulur sonra önce metin cümle benim senin istiyorum anlama",
    "ts": "na ku leswaku xana",
    "uk": "і й не що як чому це в на я ти мені скільки де коли для з із та або дякую будь можна якщо мій є "
    "привіт доброго добрий ранку день вечір напиши поясни зроби переклади розкажи щиро дуже ми він "
    "вона вони так справи ще один приклад рецепт різниця між англійською українською знайти таке "
    "бути був була буде же тільки вже за від до про при під над них його її їх нас вам вас мене тебе "
    "хто чим чого треба потрібно можу можеш текст означає",
    "ur": "ہے اور کا کی کے میں کیا کیسے کیوں مجھے یہ نہیں ہیں سے کو کتنا آپ پر براہ السلام علیکم صبح بخیر "
    "لکھیں بتائیں شکریہ ایک مثال دیں انگریزی اردو کہاں کب تھا تھے بھی یا اگر پھر کرنا کریں متن",
    "vi": "là và của không có tôi bạn cho một những gì sao thế nào được này với bao nhiêu ở cảm ơn để chào "
    "xin viết giải thích hãy dịch tóm tắt giúp làm cách cần đến ví dụ khác công thức giữa tiếng anh "
    "việt cũng nhưng hoặc ai dùng",
    "xh": "molo enkosi ndiyabulela ngoba kanjani yintoni ukuba",
    "yo": "ni ti àti kí báwo ṣé ẹ jọ̀wọ́ kíni",
    "zu": "sawubona ngiyabonga ngoba kanjani yini ukuthi kungani malini",
}
_WORD = re.compile(r"[^\s\d_.,;:!?¿¡…\"'’()\[\]{}<>«»“”„*/|।؟،–—-]+")
_LANGUAGES_OF: defaultdict[str, list[str]] = defaultdict(list)
for _code, _words in _WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word].append(_code)


def all_are_common(text: str) -> bool:
    """Whether there is nothing but common words in a text, as in most greetings."""
    words = _WORD.findall(text.lower())
    return bool(words) and all(word in _LANGUAGES_OF for word in words)


def languages_by_word(text: str) -> list[tuple[str, list[str]]]:
    """The common words in a text, each once, in order, with the codes of its languages."""
    words = dict.fromkeys(_WORD.findall(text.lower()))
    return [(word, _LANGUAGES_OF[word]) for word in words if word in _LANGUAGES_OF]
