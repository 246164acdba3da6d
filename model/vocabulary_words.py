"""Our own words for codes: what machines and people write instead of the standard's terms. A table, nothing else.

None of this is of the standard; vocabulary_terms.py is. English, German, French, Spanish, Italian, Portuguese,
Dutch, Polish, Czech, Swedish, Greek, Russian. A word that means two parts in two languages is left out
(Brust, seno, PE), and so is one that is no word for a part (OTHER, UNKNOWN).

A line: a term or code of vocabulary_terms.py, a colon, words separated by commas. Case, accents, spaces and
punctuation do not count; ä, ö and ü are also found as ae, oe and ue.
"""

BODY_PARTS = """
HEAD: Kopf, tête, caput, cabeza, testa, capo, cabeça, hoofd, głowa, hlava, huvud, κεφαλή, голова, neurocranium
SKULL: Schädel, cranium, crâne, cráneo, cranio, crânio, schedel, czaszka, lebka, skalle, κρανίο, череп
BRAIN: Gehirn, Hirn, cerebrum, cerveau, encéphale, encéfalo, cerebro, cervello, hersenen, mózg, mozek, hjärna,
  εγκέφαλος, головной мозг
FACE: Gesicht, visage, viso, rosto, gezicht, twarz, ansikte, Mittelgesicht
91397008: Gesichtsschädel, massif facial, massiccio facciale, macizo facial
JAW: Kiefer, mâchoire, mandíbula y maxilar, jaws
MANDIBLE: Unterkiefer, mandibule, mandíbula, mandibola, onderkaak, żuchwa
MAXILLA: Oberkiefer, maxillaire, maxilar, mascella, bovenkaak, szczęka
2095001: sinus, sinuses, paranasal sinuses, NNH, Nasennebenhöhlen, sinus paranasaux, senos paranasales,
  seni paranasali, neusbijholten, zatoki
NOSE: Nase, nez, nariz, naso, neus, nos
ORBIT: orbita, orbite, orbits, Augenhöhle, órbita, oogkas, oczodół
EYE: Auge, Augen, œil, yeux, ojo, ojos, occhio, occhi, olho, oog, ogen, oko, öga, eyes, oculus, μάτι, глаз
EAR: Ohr, oreille, oreja, oído, orecchio, ouvido, oor, ucho, öra
NECK: Hals, cou, cuello, collo, pescoço, szyja, krk, λαιμός, шея, soft tissue neck
HEADNECK: Kopf Hals, Kopf und Hals, tête et cou, tête cou, cabeza y cuello, testa collo, cabeça e pescoço
LARYNX: Kehlkopf, laringe, strottenhoofd, krtań
PHARYNX: Rachen, farynx, faringe
TONGUE: Zunge, langue, lengua, lingua, língua, tong, język
THYROID: Schilddrüse, thyroïde, tiroides, tiroide, schildklier, tarczyca, thyroid gland
CAROTID: Karotis, carotis, carotide, carótida, carotids, carotides
CHEST: Brustkorb, poitrine, tórax, torace, borstkas, klatka piersiowa, hrudník, bröstkorg, θώρακας,
  грудная клетка, chest PA, CXR, Thx
LUNG: Lunge, Lungen, poumon, poumons, pulmón, polmone, polmoni, pulmão, longen, płuca, plíce, lungs,
  lunga, πνεύμονες, легкие
HEART: Herz, cœur, corazón, cuore, coração, hart, serce, srdce, hjärta, cardiac, cardio, καρδιά, сердце
AORTA: Hauptschlagader, aorte
BREAST: mamma, Mammae, sein, seins, mama, mamas, mammella, borst, borsten, pierś, prs, breasts, μαστός
MEDIASTINUM: médiastin, mediastino
RIB: ribs, Rippe, Rippen, côte, côtes, costilla, costillas, costola, costole, żebra
STERNUM: Brustbein, sternon, esternón, sterno
CLAVICLE: Schlüsselbein, clavicule, clavícula, clavicola, sleutelbeen, obojczyk
NECKCHEST: Hals Thorax, neck thorax, cou thorax
CHESTABDOMEN: Thorax Abdomen, thorax and abdomen, chest abd, thorax abd, thorax abdo, thoraco abdominal,
  torace addome, tórax abdomen
CHESTABDPELVIS: chest abdomen pelvis, chest abd pelv, chest abd pel, thorax abdomen pelvis, CAP, TAP,
  Thorax Abdomen Becken, thorax abdo pelvis, thoraco abdomino pelvien, tórax abdomen pelvis,
  torace addome pelvi, chest to pelvis
NECKCHESTABDOMEN: neck chest abdomen, Hals Thorax Abdomen
NECKCHESTABDPELV: neck chest abd pelvis, neck chest abdomen pelvis, Hals Thorax Abdomen Becken, neck to pelvis
ABDOMEN: Bauch, abd, abdo, addome, vientre, buik, brzuch, břicho, buk, κοιλιά, живот, KUB
ABDOMENPELVIS: abd pelvis, abd pelv, abd pel, abdo pelvis, abdominopelvic, abdomino pelvien, addome pelvi,
  Abdomen Becken, Bauch Becken, abdomen y pelvis, abdomen et pelvis, abdomen und Becken
LIVER: Leber, foie, hígado, fegato, fígado, lever, wątroba, játra, συκώτι, печень
GALLBLADDER: Gallenblase, vésicule biliaire, vesícula biliar, cistifellea, galblaas
SPLEEN: Milz, bazo, milza, baço, milt, śledziona
PANCREAS: Bauchspeicheldrüse, Pankreas, pancréas, páncreas, alvleesklier, trzustka
KIDNEY: kidneys, Niere, Nieren, rein, reins, riñón, riñones, rene, reni, rim, rins, nier, nieren, nerka, nerki,
  ledvina, njure, νεφρός, почки
BLADDER: Harnblase, Blase, vessie, vejiga, vescica, bexiga, blaas, pęcherz, urinary bladder
ESOPHAGUS: oesophagus, Ösophagus, œsophage, Speiseröhre, esófago, esofago, slokdarm, przełyk
STOMACH: Magen, estomac, estómago, stomaco, estômago, maag, żołądek
SMALLINTESTINE: small bowel, Dünndarm, intestin grêle, intestino delgado, dunne darm
LARGEINTESTINE: large bowel, Dickdarm, gros intestin, intestino grueso, dikke darm
COLON: Kolon, côlon
RECTUM: Enddarm, Rektum, recto, retto, endeldarm
PELVIS: Becken, bassin, pelvi, pelvien, bacino, bekken, miednica, pánev, bäcken, πύελος, таз
PROSTATE: Prostata, próstata, prostaat
UTERUS: Gebärmutter, utérus, útero, baarmoeder, macica
TESTIS: testes, testicle, testicles, Hoden, testicule, testicules, testículo, testicolo
SPINE: Wirbelsäule, WS, rachis, colonne vertébrale, columna, columna vertebral, colonna vertebrale,
  wervelkolom, kręgosłup, páteř, ryggrad, whole spine, vertebral column, σπονδυλική στήλη, позвоночник
CSPINE: HWS, Halswirbelsäule, rachis cervical, columna cervical, colonna cervicale, halswervelkolom,
  cervicalspine, c spine, cerv spine
TSPINE: BWS, Brustwirbelsäule, rachis dorsal, rachis thoracique, columna dorsal, columna torácica,
  dorsal spine, D spine, colonna dorsale, thoracicspine, T spine
LSPINE: LWS, Lendenwirbelsäule, rachis lombaire, columna lumbar, colonna lombare, lumbarspine, L spine,
  lumb spine, lendenwervelkolom
LSSPINE: LS spine, lumbosacral, rachis lombo-sacré, columna lumbosacra, colonna lombosacrale
SSPINE: Kreuzbein, Sakrum, sacro, sacral spine
COCCYX: Steißbein, cóccix, coxis, staartbeen
SIJOINT: ISG, Iliosakralgelenk, SI joint, SI joints, sacroiliac joints, sacro-iliaque
SPINALCORD: Rückenmark, moelle épinière, médula espinal, midollo spinale, ruggenmerg
EXTREMITY: extremities, Extremität, Extremitäten, extrémité, extremidad, estremità, membres, ledematen
UPPERLIMB: upper extremity, upper extremities, obere Extremität, membre supérieur, extremidad superior,
  arto superiore, miembro superior
LOWERLIMB: lower extremity, lower extremities, untere Extremität, membre inférieur, extremidad inferior,
  arto inferiore, miembro inferior, legs, Bein, Beine
SHOULDER: shoulders, Schulter, épaule, hombro, spalla, ombro, schouder, bark, rameno, ώμος, плечо
SCAPULA: Schulterblatt, omoplate, omóplato, escápula, schouderblad
UPPERARM: arm, Oberarm, bras, brazo, braccio, braço, bovenarm
HUMERUS: humérus, húmero, omero
ELBOW: elbows, Ellenbogen, Ellbogen, coude, codo, gomito, cotovelo, elleboog, łokieć, loket, armbåge
FOREARM: Unterarm, avant-bras, antebrazo, avambraccio, antebraço, onderarm, przedramię
WRIST: wrists, Handgelenk, poignet, muñeca, polso, punho, pols, nadgarstek, zápěstí, handled
HAND: hands, Hände, main, mains, mano, manos, mani, mão, handen, dłoń, ruka, χέρι, кисть
FINGER: fingers, doigt, doigts, dedo de la mano, dito, dita, vinger
THUMB: Daumen, pouce, pulgar, pollice, polegar, duim, kciuk
HIP: hips, hip joints, Hüfte, Hüften, Hüftgelenk, hanche, hanches, cadera, caderas, anca, anche, quadril, heup,
  heupen, biodro, kyčel, höft, ισχίο
FEMUR: fémur, femore, fêmur, Femur, dijbeen
THIGH: Oberschenkel, cuisse, muslo, coscia, bovenbeen, udo
KNEE: knees, Knie, genou, genoux, rodilla, rodillas, ginocchio, ginocchia, joelho, knieën, kolano, koleno, knä,
  γόνατο, колено
PATELLA: Kniescheibe, rotule, rótula, knieschijf
LOWERLEG: leg, Unterschenkel, jambe, pierna, gamba, perna, onderbeen, podudzie
TIBIA: Schienbein, scheenbeen
ANKLE: ankles, Sprunggelenk, OSG, cheville, chevilles, tobillo, caviglia, tornozelo, enkel, kotník, fotled
CALCANEUS: heel, Fersenbein, Ferse, calcanéum, calcáneo, calcagno, hielbeen
FOOT: feet, Fuß, Füße, pied, pieds, pie, pies, piede, piedi, voet, voeten, stopa, πόδι, стопа
TOE: toes, Zeh, Zehe, Zehen, orteil, orteils, dedo del pie, dito del piede, teen, tenen
WHOLEBODY: whole body, total body, Ganzkörper, corps entier, cuerpo entero, corpo intero, corpo inteiro,
  heel lichaam, skeletal survey
PHANTOM: fantôme, fantom, fantoma, phantoms, QC phantom
"""

# Terms that the standard retired (PS3.3 C.7.3.1.1.1) and what people call a modality.
MODALITIES = """
MR: MRI, MRT, IRM, RM, RMN, NMR, MA, MS, magnetic resonance imaging
CT: CAT, TAC, TDM, TC, TK, CTA, computed tomography scanner, Computertomographie
PT: PET, TEP, PET-CT
NM: SPECT, ST, scintigraphy, Szintigraphie, scintigraphie, gammagrafía
US: USG, echo, échographie, ecografía, ecografia, Sonographie, EC, DD, CD
XA: DS, DSA, angio, angiography, angiographie
RF: DF, CF, VF, fluoroscopy
OP: FA, FS, fundus, fundus photography
ES: CS, CP, LP, AS
MG: mammo, Mammographie, mammographie, mamografía, mammografia
"""

LATERALITIES = """
L: Lt, links, gauche, izquierda, izquierdo, sinistra, sinistro, esquerda, esquerdo, lewa, lewy, sinister, OS
R: Rt, rechts, droite, droit, derecha, derecho, destra, destro, direita, direito, prawa, prawy, dexter, OD
B: both, bds, beidseits, beide, OU, ambos, ambas, bilatéral, bilaterale
"""
