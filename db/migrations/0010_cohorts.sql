-- Codes beside the raw values: BodyPartExamined, Modality and Laterality in SNOMED CT and DICOM's own codes.

-- ---- vocabulary ---------------------------------------------------------------------------------------
-- The tables are model/vocabulary_terms.py and model/vocabulary_words.py; a test holds these functions to them.
-- They are no table, because a generated column needs a function that is immutable, and no SQL function, because
-- that would be inlined, with its table, into every statement that writes a series.

-- What of a spelling counts: letters and digits, without case and accents.
create function vocabulary_key(value text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(fold(value) collate "pg_c_utf8", '[^[:alnum:]]+', '', 'g');

-- The code of a BodyPartExamined; null where the vocabulary does not know it.
create function body_part_code(value text) returns text
    language plpgsql immutable strict parallel safe
as $$
begin
    return '{
    "leftlumbarregion": "1017210004", "llumbar": "1017210004", "rightlumbarregion": "1017211000",
    "rlumbar": "1017211000", "fegato": "10200004", "figado": "10200004", "foie": "10200004", "higado": "10200004",
    "jatra": "10200004", "leber": "10200004", "lever": "10200004", "liver": "10200004", "watroba": "10200004",
    "συκωτι": "10200004", "печень": "10200004", "muscleoflowerlimb": "102292000", "iliaca": "10293006",
    "iliacartery": "10293006", "intracranial": "1101003", "vertebralcolumnandcranium": "110517009",
    "radiusandulna": "110535000", "radiusulna": "110535000", "tibiaandfibula": "110536004",
    "tibiafibula": "110536004", "gastricv": "110568007", "gastricvein": "110568007",
    "anusrectumandsigmoidcolon": "110612005", "anusrectumsigmd": "110612005", "pancbileduct": "110621006",
    "pancreaticductandbileductsystems": "110621006", "uterusandfallopiantubes": "110639002",
    "tracheaandbronchus": "110726009", "tracheabronchus": "110726009", "bladderandurethra": "110837003",
    "bladderurethra": "110837003", "esophagusstomachandduodenum": "110861005", "parathyroid": "111002",
    "pulmonaryarteriovenousfistula": "111289009", "circleofwillis": "11279006", "costilla": "113197003",
    "costillas": "113197003", "costola": "113197003", "costole": "113197003", "cote": "113197003",
    "cotes": "113197003", "rib": "113197003", "ribs": "113197003", "rippe": "113197003", "rippen": "113197003",
    "zebra": "113197003", "thoracicaorta": "113262008", "linguala": "113264009", "lingualartery": "113264009",
    "externaliliacartery": "113269004", "extiliaca": "113269004", "leftfemoralartery": "113270003",
    "lfemorala": "113270003", "inferiorrightpulmonaryvein": "113273001", "cerebellum": "113305005",
    "omentalbursa": "113346000", "hypogastric": "11708003", "hypogastricregion": "11708003",
    "suprapubic": "11708003", "suprapubicregion": "11708003", "ear": "117590005", "oera": "117590005",
    "ohr": "117590005", "oido": "117590005", "oor": "117590005", "ora": "117590005", "orecchio": "117590005",
    "oreille": "117590005", "oreja": "117590005", "ouvido": "117590005", "ucho": "117590005",
    "vasculargraft": "118375008", "internaljugularvein": "12123001", "intjugularv": "12123001",
    "colonnalombosacrale": "1217253001", "columnalumbosacra": "1217253001", "lsspine": "1217253001",
    "lumbosacral": "1217253001", "lumbosacralspine": "1217253001", "rachislombosacre": "1217253001",
    "sacrococcygealspine": "1217254007", "thoracolumbarspine": "1217256009", "tlspine": "1217256009",
    "cervicothoracicspine": "1217257000", "ctspine": "1217257000", "cervicalspine": "122494005",
    "cervspine": "122494005", "colonnacervicale": "122494005", "columnacervical": "122494005",
    "cspine": "122494005", "halswervelkolom": "122494005", "halswirbelsaeule": "122494005",
    "halswirbelsaule": "122494005", "hws": "122494005", "rachiscervical": "122494005",
    "brustwirbelsaeule": "122495006", "brustwirbelsaule": "122495006", "bws": "122495006",
    "colonnadorsale": "122495006", "columnadorsal": "122495006", "columnatoracica": "122495006",
    "dorsalspine": "122495006", "dspine": "122495006", "rachisdorsal": "122495006", "rachisthoracique": "122495006",
    "thoracicspine": "122495006", "tspine": "122495006", "colonnalombare": "122496007",
    "columnalumbar": "122496007", "lendenwervelkolom": "122496007", "lendenwirbelsaeule": "122496007",
    "lendenwirbelsaule": "122496007", "lspine": "122496007", "lumbarspine": "122496007", "lumbspine": "122496007",
    "lws": "122496007", "rachislombaire": "122496007", "pulmonaryv": "122972007", "pulmonaryvein": "122972007",
    "pelvisandlowerextremities": "1231522001", "pelvislowextremt": "1231522001", "mouth": "123851003",
    "scheenbeen": "12611008", "schienbein": "12611008", "tibia": "12611008", "innominatea": "12691009",
    "innominateartery": "12691009", "brain": "12738006", "cerebro": "12738006", "cerebrum": "12738006",
    "cerveau": "12738006", "cervello": "12738006", "encefalo": "12738006", "encephale": "12738006",
    "gehirn": "12738006", "hersenen": "12738006", "hirn": "12738006", "hjaerna": "12738006", "hjarna": "12738006",
    "mozek": "12738006", "mozg": "12738006", "εγκεφαλοσ": "12738006", "головноимозг": "12738006",
    "cranialvenoussystem": "128320002", "boydsperforatingvein": "128548003", "aorticfistula": "128551005",
    "antecubitalv": "128553008", "antecubitalvein": "128553008", "doddsperforatingvein": "128554002",
    "congenitalcoronaryarteryfistulatoleftatrium": "128555001",
    "congenitalcoronaryarteryfistulatoleftventricle": "128556000",
    "congenitalcoronaryarteryfistulatorightatrium": "128557009",
    "congenitalcoronaryarteryfistulatorightventricle": "128558004", "geniculara": "128559007",
    "genicularartery": "128559007", "hunterianperforatingvein": "128560002",
    "juxtaposedatrialappendage": "128563000", "apexofleftventricle": "128564006",
    "apexofrightventricle": "128565007", "pulmonaryveinconfluence": "128566008",
    "pulmonaryvenousatrium": "128567004", "systemicvenousatrium": "128568009",
    "posteriormedialtributary": "128569001", "mesentericvein": "128583004", "mesentricv": "128583004",
    "pulmonaryarteryconduit": "128584005", "anomalouspulmonaryvein": "128585006",
    "pulmonarychamberofcortriatriatum": "128586007", "saphenofemoraljunction": "128587003", "sfj": "128587003",
    "systemiccollateralarterytolung": "128589000", "lacrimalarteryofrighteye": "128979005", "baffle": "128981007",
    "intraarticular": "131183008", "posteriortibialartery": "13363002", "postibiala": "13363002",
    "lefthypochondriacregion": "133945003", "lhypochondriac": "133945003", "rhypochondriac": "133946002",
    "righthypochondriacregion": "133946002", "leftventricleoutflowtract": "13418002", "endourethral": "13648007",
    "urethra": "13648007", "zygoma": "13881006", "dickdarm": "14742008", "dikkedarm": "14742008",
    "grosintestin": "14742008", "intestinogrueso": "14742008", "largebowel": "14742008",
    "largeintestine": "14742008", "primitiveaorta": "14944004", "antebraco": "14975008", "antebrazo": "14975008",
    "avambraccio": "14975008", "avantbras": "14975008", "forearm": "14975008", "onderarm": "14975008",
    "przedramie": "14975008", "unterarm": "14975008", "ovary": "15497006", "superficialtemporalartery": "15672000",
    "alvleesklier": "15776009", "bauchspeicheldruese": "15776009", "bauchspeicheldruse": "15776009",
    "pancreas": "15776009", "pankreas": "15776009", "trzustka": "15776009", "aorta": "15825003",
    "aorte": "15825003", "hauptschlagader": "15825003", "armbage": "16953009", "codo": "16953009",
    "cotovelo": "16953009", "coude": "16953009", "elbow": "16953009", "elbowjoint": "16953009",
    "elbows": "16953009", "ellbogen": "16953009", "elleboog": "16953009", "ellenbogen": "16953009",
    "gomito": "16953009", "loket": "16953009", "lokiec": "16953009", "bark": "16982005", "epaule": "16982005",
    "hombro": "16982005", "ombro": "16982005", "rameno": "16982005", "schouder": "16982005", "schulter": "16982005",
    "shoulder": "16982005", "shoulders": "16982005", "spalla": "16982005", "ωμοσ": "16982005", "плечо": "16982005",
    "submental": "170887008", "brachiala": "17137000", "brachialartery": "17137000", "mca": "17232002",
    "middlecerebralartery": "17232002", "anteriorspinalartery": "17388009", "antspinala": "17388009",
    "cfa": "181347005", "commonfemoralartery": "181347005", "sfa": "181349008",
    "superficialfemoralartery": "181349008", "sclera": "18619003", "penis": "18911002",
    "endonasopharyngeal": "18962004", "endonasopharynyx": "18962004", "lowerinnerquadrantofbreast": "19100000",
    "antcardiacv": "194996006", "anteriorcardiacvein": "194996006", "inferiorcardiacvein": "195416006",
    "subcostal": "19695001", "brachialv": "20115005", "brachialvein": "20115005", "scrotum": "20233005",
    "cephalicv": "20699002", "cephalicvein": "20699002", "nasennebenhoehlen": "2095001",
    "nasennebenhohlen": "2095001", "neusbijholten": "2095001", "nnh": "2095001", "paranasalsinus": "2095001",
    "paranasalsinuses": "2095001", "seniparanasali": "2095001", "senosparanasales": "2095001", "sinus": "2095001",
    "sinuses": "2095001", "sinusparanasaux": "2095001", "zatoki": "2095001", "jejunum": "21306003",
    "bulb": "21479005", "carotidbulb": "21479005", "ventricle": "21814001", "jezyk": "21974007",
    "langue": "21974007", "lengua": "21974007", "lingua": "21974007", "tong": "21974007", "tongue": "21974007",
    "zunge": "21974007", "splenica": "22083002", "splenicartery": "22083002", "eca": "22286001",
    "externalcarotidartery": "22286001", "ilium": "22356005", "faciala": "23074001", "facialartery": "23074001",
    "calyx": "2334006", "ulna": "23416004", "proffemv": "23438002", "profundafemorisvein": "23438002",
    "adrenal": "23451007", "adrenalgland": "23451007", "anca": "24136001", "anche": "24136001",
    "biodro": "24136001", "cadera": "24136001", "caderas": "24136001", "hanche": "24136001", "hanches": "24136001",
    "heup": "24136001", "heupen": "24136001", "hip": "24136001", "hipjoint": "24136001", "hipjoints": "24136001",
    "hips": "24136001", "hoeft": "24136001", "hoft": "24136001", "huefte": "24136001", "hueften": "24136001",
    "hueftgelenk": "24136001", "hufte": "24136001", "huften": "24136001", "huftgelenk": "24136001",
    "kycel": "24136001", "quadril": "24136001", "ισχιο": "24136001", "morisonspouch": "243977002",
    "iliacv": "244411005", "iliacvein": "244411005", "commonatrium": "253276007", "renalpelvis": "25990002",
    "suprasternalnotch": "26493002", "inguinal": "26893007", "inguinalregion": "26893007", "rhepaticv": "272998002",
    "righthepaticvein": "272998002", "middlehepaticvein": "273099000", "midhepaticv": "273099000",
    "lefthepaticvein": "273202007", "lhepaticv": "273202007", "endometrium": "2739003", "omentum": "27398004",
    "medulaespinal": "2748008", "midollospinale": "2748008", "moelleepiniere": "2748008", "ruckenmark": "2748008",
    "rueckenmark": "2748008", "ruggenmerg": "2748008", "spinalcord": "2748008", "epigastric": "27947004",
    "epigastricregion": "27947004", "tarsaljoint": "27949001", "penilea": "282044005", "penileartery": "282044005",
    "cistifellea": "28231008", "galblaas": "28231008", "gallbladder": "28231008", "gallenblase": "28231008",
    "vesiculabiliar": "28231008", "vesiculebiliaire": "28231008", "bileduct": "28273000", "renala": "2841007",
    "renalartery": "2841007", "umbilicalv": "284639000", "umbilicalvein": "284639000", "cornea": "28726007",
    "endovenous": "29092000", "vein": "29092000", "dedodelpie": "29707007", "ditodelpiede": "29707007",
    "orteil": "29707007", "orteils": "29707007", "teen": "29707007", "tenen": "29707007", "toe": "29707007",
    "toes": "29707007", "zeh": "29707007", "zehe": "29707007", "zehen": "29707007",
    "iliacandorfemoralartery": "299716001", "gamba": "30021000", "jambe": "30021000", "leg": "30021000",
    "lowerleg": "30021000", "onderbeen": "30021000", "perna": "30021000", "pierna": "30021000",
    "podudzie": "30021000", "unterschenkel": "30021000", "gestationalsac": "300571009", "gestsac": "300571009",
    "duenndarm": "30315005", "dunndarm": "30315005", "dunnedarm": "30315005", "intestingrele": "30315005",
    "intestinodelgado": "30315005", "smallbowel": "30315005", "smallintestine": "30315005",
    "liverandbiliarystructure": "303270005", "muscleofupperlimb": "30608006", "occipitalartery": "31145008",
    "occpitala": "31145008", "pharynxandlarynx": "312535008", "pharynxlarynx": "312535008", "proffema": "31677005",
    "profundafemorisartery": "31677005", "cca": "32062004", "commoncarotidartery": "32062004",
    "occipitalvein": "32114007", "occiptalv": "32114007", "poplitealfossa": "32361000",
    "descendingcolon": "32622004", "descaorta": "32672002", "descendingaorta": "32672002", "portalv": "32764006",
    "portalvein": "32764006", "endoesophageal": "32849002", "esofago": "32849002", "esophagus": "32849002",
    "intraesophageal": "32849002", "oesophage": "32849002", "oesophagus": "32849002", "osophagus": "32849002",
    "przelyk": "32849002", "slokdarm": "32849002", "speiseroehre": "32849002", "speiserohre": "32849002",
    "lowerouterquadrantofbreast": "33564002", "leftauricularappendage": "33626005",
    "inferiormesentericartery": "33795007", "infmesa": "33795007", "venousnetwork": "34340008",
    "enddarm": "34402009", "endeldarm": "34402009", "endorectal": "34402009", "recto": "34402009",
    "rectum": "34402009", "rektum": "34402009", "retto": "34402009", "broadligament": "34411009",
    "ileum": "34516001", "lumbara": "34635009", "lumbarartery": "34635009", "biliarytract": "34707002",
    "baarmoeder": "35039007", "gebaermutter": "35039007", "gebarmutter": "35039007", "macica": "35039007",
    "utero": "35039007", "uterus": "35039007", "venacava": "35532006", "splenicv": "35819009",
    "splenicvein": "35819009", "4thventricle": "35918002", "fourthventricle": "35918002",
    "nasopharynx": "360955006", "iac": "361078006", "internalauditorycanal": "361078006", "saphenousv": "362072009",
    "saphenousvein": "362072009", "augenhoehle": "363654007", "augenhohle": "363654007", "oczodol": "363654007",
    "oogkas": "363654007", "orbit": "363654007", "orbita": "363654007", "orbitalstructure": "363654007",
    "orbite": "363654007", "orbits": "363654007", "subclaviana": "36765005", "subclavianartery": "36765005",
    "rightinguinalregion": "37117007", "ringuinal": "37117007", "boneofupperlimb": "371195002",
    "eyeregion": "371398005", "cerebhemisphere": "372073000", "cerebralhemisphere": "372073000",
    "corpointeiro": "38266002", "corpointero": "38266002", "corpsentier": "38266002", "cuerpoentero": "38266002",
    "entirebody": "38266002", "ganzkoerper": "38266002", "ganzkorper": "38266002", "heellichaam": "38266002",
    "skeletalsurvey": "38266002", "totalbody": "38266002", "wholebody": "38266002", "duodenum": "38848004",
    "perineum": "38864007", "joint": "39352004", "longen": "39607008", "lung": "39607008", "lunga": "39607008",
    "lunge": "39607008", "lungen": "39607008", "lungs": "39607008", "plice": "39607008", "pluca": "39607008",
    "polmone": "39607008", "polmoni": "39607008", "poumon": "39607008", "poumons": "39607008", "pulmao": "39607008",
    "pulmon": "39607008", "πνευμονεσ": "39607008", "легкие": "39607008", "iliosakralgelenk": "39723000",
    "isg": "39723000", "sacroiliacjoint": "39723000", "sacroiliacjoints": "39723000", "sacroiliaque": "39723000",
    "sijoint": "39723000", "sijoints": "39723000", "cfv": "397363009", "commonfemoralvein": "397363009",
    "sfv": "397364003", "superficialfemoralvein": "397364003", "hoden": "40689003", "testes": "40689003",
    "testicle": "40689003", "testicles": "40689003", "testicolo": "40689003", "testicule": "40689003",
    "testicules": "40689003", "testiculo": "40689003", "testis": "40689003", "arm": "40983000",
    "bovenarm": "40983000", "braccio": "40983000", "braco": "40983000", "bras": "40983000", "brazo": "40983000",
    "oberarm": "40983000", "upperarm": "40983000", "prostaat": "41216001", "prostata": "41216001",
    "prostate": "41216001", "halsthoraxabdomen": "416152001", "neckchestabdomen": "416152001",
    "neckchestandabdomen": "416152001", "halsthoraxabdomenbecken": "416319003",
    "neckchestabdomenandpelvis": "416319003", "neckchestabdomenpelvis": "416319003",
    "neckchestabdpelv": "416319003", "neckchestabdpelvis": "416319003", "necktopelvis": "416319003",
    "chestabd": "416550000", "chestabdomen": "416550000", "chestandabdomen": "416550000",
    "thoracoabdominal": "416550000", "thoraxabd": "416550000", "thoraxabdo": "416550000",
    "thoraxabdomen": "416550000", "thoraxandabdomen": "416550000", "toraceaddome": "416550000",
    "toraxabdomen": "416550000", "cap": "416775004", "chestabdomenandpelvis": "416775004",
    "chestabdomenpelvis": "416775004", "chestabdpel": "416775004", "chestabdpelv": "416775004",
    "chestabdpelvis": "416775004", "chesttopelvis": "416775004", "tap": "416775004",
    "thoracoabdominopelvien": "416775004", "thoraxabdomenbecken": "416775004", "thoraxabdomenpelvis": "416775004",
    "thoraxabdopelvis": "416775004", "toraceaddomepelvi": "416775004", "toraxabdomenpelvis": "416775004",
    "scalp": "41695006", "couthorax": "417437006", "halsthorax": "417437006", "neckandchest": "417437006",
    "neckchest": "417437006", "neckthorax": "417437006", "coronaryartery": "41801008",
    "colonnavertebrale": "421060004", "colonnevertebrale": "421060004", "columna": "421060004",
    "columnavertebral": "421060004", "kregoslup": "421060004", "pater": "421060004", "rachis": "421060004",
    "ryggrad": "421060004", "spine": "421060004", "vertebralcolumn": "421060004", "wervelkolom": "421060004",
    "wholespine": "421060004", "wirbelsaeule": "421060004", "wirbelsaule": "421060004", "ws": "421060004",
    "σπονδυλικηστηλη": "421060004", "позвоночник": "421060004", "sma": "42258001",
    "superiormesentericartery": "42258001", "sella": "42575006", "sellaturcica": "42575006", "thalamus": "42695009",
    "poscomma": "43119007", "posteriorcommunicatingartery": "43119007", "posteriorcommunicationartery": "43119007",
    "upperurinarytract": "431491007", "uprurinarytract": "431491007", "intrathoracic": "43799004",
    "lsuppulmonaryv": "43863001", "superiorleftpulmonaryvein": "43863001", "popliteala": "43899006",
    "poplitealartery": "43899006", "trachea": "44567001", "rightventricleoutflowtract": "44627009",
    "ulnara": "44984001", "ulnarartery": "44984001", "collo": "45048000", "cou": "45048000", "cuello": "45048000",
    "hals": "45048000", "krk": "45048000", "neck": "45048000", "pescoco": "45048000", "softtissueneck": "45048000",
    "szyja": "45048000", "λαιμοσ": "45048000", "шея": "45048000", "nariz": "45206002", "nase": "45206002",
    "naso": "45206002", "neus": "45206002", "nez": "45206002", "nos": "45206002", "nose": "45206002",
    "parotid": "45289007", "parotidgland": "45289007", "vulva": "45292006", "commonventricle": "45503006",
    "radiala": "45631007", "radialartery": "45631007", "kehlkopf": "4596009", "krtan": "4596009",
    "laringe": "4596009", "larynx": "4596009", "strottenhoofd": "4596009", "comiliacv": "46027005",
    "commoniliacvein": "46027005", "buttock": "46862004", "gluteal": "46862004", "glutealregion": "46862004",
    "superiorvenacava": "48345005", "svc": "48345005", "endovesical": "48367006", "transversecolon": "485005",
    "rightlowerquadrantofabdomen": "48544008", "rlq": "48544008", "3rdventricle": "49841001",
    "thirdventricle": "49841001", "leftpulmonaryartery": "50408007", "lpulmonarya": "50408007",
    "rightupperquadrantofabdomen": "50519007", "ruq": "50519007", "umbilicala": "50536004",
    "umbilicalartery": "50536004", "subxiphoid": "5076001", "artery": "51114001", "endoarterial": "51114001",
    "inferiorleftpulmonaryvein": "51249003", "clavicle": "51299004", "clavicola": "51299004",
    "clavicula": "51299004", "clavicule": "51299004", "obojczyk": "51299004", "schluesselbein": "51299004",
    "schlusselbein": "51299004", "sleutelbeen": "51299004", "lumbar": "52612000", "lumbarregion": "52612000",
    "rightventricle": "53085002", "rventricle": "53085002", "artosuperiore": "53120007",
    "extremidadsuperior": "53120007", "membresuperieur": "53120007", "miembrosuperior": "53120007",
    "obereextremitaet": "53120007", "obereextremitat": "53120007", "upperextremities": "53120007",
    "upperextremity": "53120007", "upperlimb": "53120007", "endonasal": "53342003", "anus": "53505006",
    "ophthalmica": "53549008", "ophthalmicartery": "53549008", "temporomandibularjoint": "53620006",
    "tmj": "53620006", "calf": "53840002", "calfofleg": "53840002", "culdesac": "53843000",
    "rectouterinepouch": "53843000", "submandibular": "54019009", "submandibulargland": "54019009",
    "faringe": "54066008", "farynx": "54066008", "pharynx": "54066008", "rachen": "54066008",
    "ascaorta": "54247002", "ascendingaorta": "54247002", "kreuzbein": "54735007", "sacralspine": "54735007",
    "sacro": "54735007", "sacrum": "54735007", "sakrum": "54735007", "sspine": "54735007", "opticcanal": "55024004",
    "renalv": "56400007", "renalvein": "56400007", "feet": "56459004", "foot": "56459004", "fuesse": "56459004",
    "fuss": "56459004", "fusse": "56459004", "pie": "56459004", "pied": "56459004", "piede": "56459004",
    "piedi": "56459004", "pieds": "56459004", "pies": "56459004", "stopa": "56459004", "voet": "56459004",
    "voeten": "56459004", "ποδι": "56459004", "стопа": "56459004", "poplitealv": "56849005",
    "poplitealvein": "56849005", "brustbein": "56873002", "esternon": "56873002", "sterno": "56873002",
    "sternon": "56873002", "sternum": "56873002", "aorticarch": "57034009", "submandibulararea": "5713008",
    "celiaca": "57850000", "celiacartery": "57850000", "truncuscoeliacus": "57850000", "flank": "58602004",
    "sesamoid": "58742003", "sesamoidbonesoffoot": "58742003", "basilara": "59011009", "basilarartery": "59011009",
    "mastoid": "59066005", "mastoidbone": "59066005", "greatcardiacvein": "5928000", "atrium": "59652004",
    "lacrimala": "59749000", "lacrimalartery": "59749000", "endovascular": "59820001", "aca": "60176003",
    "anteriorcerebralartery": "60176003", "sigmoid": "60184004", "sigmoidcolon": "60184004",
    "greatsaphenousvein": "60734001", "gsv": "60734001", "buccalregionofface": "60819002", "cheek": "60819002",
    "artoinferiore": "61685007", "bein": "61685007", "beine": "61685007", "extremidadinferior": "61685007",
    "legs": "61685007", "lowerextremities": "61685007", "lowerextremity": "61685007", "lowerlimb": "61685007",
    "membreinferieur": "61685007", "miembroinferior": "61685007", "untereextremitaet": "61685007",
    "untereextremitat": "61685007", "truncusarteriosuscommunis": "61959006", "radius": "62413002",
    "externaliliacvein": "63507001", "extiliacv": "63507001", "endorenal": "64033007", "kidney": "64033007",
    "kidneys": "64033007", "ledvina": "64033007", "nerka": "64033007", "nerki": "64033007", "nier": "64033007",
    "niere": "64033007", "nieren": "64033007", "njure": "64033007", "rein": "64033007", "reins": "64033007",
    "rene": "64033007", "reni": "64033007", "rim": "64033007", "rinon": "64033007", "rinones": "64033007",
    "rins": "64033007", "νεφροσ": "64033007", "почки": "64033007", "inferiorvenacava": "64131007",
    "infvenacava": "64131007", "kniescheibe": "64234005", "knieschijf": "64234005", "patella": "64234005",
    "rotula": "64234005", "rotule": "64234005", "coccix": "64688005", "coccyx": "64688005", "coxis": "64688005",
    "staartbeen": "64688005", "steissbein": "64688005", "seminalvesicle": "64739004", "semvesicle": "64739004",
    "estremita": "66019005", "extremidad": "66019005", "extremitaet": "66019005", "extremitaeten": "66019005",
    "extremitat": "66019005", "extremitaten": "66019005", "extremite": "66019005", "extremities": "66019005",
    "extremity": "66019005", "ledematen": "66019005", "membres": "66019005", "jaw": "661005", "jawregion": "661005",
    "jaws": "661005", "kiefer": "661005", "machoire": "661005", "mandibulaymaxilar": "661005",
    "lateralventricle": "66720007", "latventricle": "66720007", "appendix": "66754008", "axillarya": "67937003",
    "axillaryartery": "67937003", "anteriortibialartery": "68053000", "anttibiala": "68053000",
    "rightauricularappendage": "68300000", "bovenbeen": "68367000", "coscia": "68367000", "cuisse": "68367000",
    "muslo": "68367000", "oberschenkel": "68367000", "thigh": "68367000", "udo": "68367000",
    "leftlowerquadrantofabdomen": "68505006", "llq": "68505006", "axillaryv": "68705008",
    "axillaryvein": "68705008", "carotid": "69105007", "carotida": "69105007", "carotidartery": "69105007",
    "carotide": "69105007", "carotides": "69105007", "carotids": "69105007", "carotis": "69105007",
    "karotis": "69105007", "internalmammaryartery": "69327007", "intmammarya": "69327007", "cabeca": "69536005",
    "cabeza": "69536005", "capo": "69536005", "caput": "69536005", "glowa": "69536005", "head": "69536005",
    "hlava": "69536005", "hoofd": "69536005", "huvud": "69536005", "kopf": "69536005", "neurocranium": "69536005",
    "testa": "69536005", "tete": "69536005", "κεφαλη": "69536005", "голова": "69536005", "estomac": "69695003",
    "estomago": "69695003", "maag": "69695003", "magen": "69695003", "stomach": "69695003", "stomaco": "69695003",
    "zoladek": "69695003", "schilddruese": "69748006", "schilddruse": "69748006", "schildklier": "69748006",
    "tarczyca": "69748006", "thyroid": "69748006", "thyroide": "69748006", "thyroidgland": "69748006",
    "tiroide": "69748006", "tiroides": "69748006", "rfemorala": "69833005", "rightfemoralartery": "69833005",
    "pancreaticduct": "69930009", "leftventricleinflow": "70238003", "leftportalvein": "70253006",
    "lportalv": "70253006", "ankle": "70258002", "anklejoint": "70258002", "ankles": "70258002",
    "caviglia": "70258002", "cheville": "70258002", "chevilles": "70258002", "enkel": "70258002",
    "fotled": "70258002", "kotnik": "70258002", "osg": "70258002", "sprunggelenk": "70258002",
    "tobillo": "70258002", "tornozelo": "70258002", "pca": "70382005", "posteriorcerebralartery": "70382005",
    "fantom": "706342009", "fantoma": "706342009", "fantome": "706342009", "phantom": "706342009",
    "phantoms": "706342009", "qcphantom": "706342009", "bovenkaak": "70925003", "mascella": "70925003",
    "maxilar": "70925003", "maxilla": "70925003", "maxillaire": "70925003", "oberkiefer": "70925003",
    "szczeka": "70925003", "cervix": "71252005", "dijbeen": "71341001", "femore": "71341001", "femur": "71341001",
    "externaljugularvein": "71585003", "extjugv": "71585003", "colon": "71854001", "kolon": "71854001",
    "boneoflowerlimb": "72001000", "superiorthyroidartery": "72021004", "supthyroida": "72021004",
    "azygosvein": "72107004", "mediastin": "72410000", "mediastino": "72410000", "mediastinum": "72410000",
    "genou": "72696002", "genoux": "72696002", "ginocchia": "72696002", "ginocchio": "72696002",
    "joelho": "72696002", "kna": "72696002", "knae": "72696002", "knee": "72696002", "knees": "72696002",
    "knie": "72696002", "knieen": "72696002", "kolano": "72696002", "koleno": "72696002", "rodilla": "72696002",
    "rodillas": "72696002", "γονατο": "72696002", "колено": "72696002", "comiliaca": "73634005",
    "commoniliacartery": "73634005", "ratrium": "73829009", "rightatrium": "73829009",
    "rightportalvein": "73931004", "rportalv": "73931004", "nasalbone": "74386004", "handgelenk": "74670003",
    "handled": "74670003", "muneca": "74670003", "nadgarstek": "74670003", "poignet": "74670003",
    "pols": "74670003", "polso": "74670003", "punho": "74670003", "wrist": "74670003", "wristjoint": "74670003",
    "wrists": "74670003", "zapesti": "74670003", "dedodelamano": "7569003", "dita": "7569003", "dito": "7569003",
    "doigt": "7569003", "doigts": "7569003", "finger": "7569003", "fingers": "7569003", "vinger": "7569003",
    "hepatica": "76015000", "hepaticartery": "76015000", "upperouterquadrantofbreast": "76365002",
    "daumen": "76505004", "duim": "76505004", "kciuk": "76505004", "polegar": "76505004", "pollice": "76505004",
    "pouce": "76505004", "pulgar": "76505004", "thumb": "76505004", "femorala": "7657000",
    "femoralartery": "7657000", "borst": "76752008", "borsten": "76752008", "breast": "76752008",
    "breasts": "76752008", "mama": "76752008", "mamas": "76752008", "mamma": "76752008", "mammae": "76752008",
    "mammella": "76752008", "piers": "76752008", "prs": "76752008", "sein": "76752008", "seins": "76752008",
    "μαστοσ": "76752008", "endovaginal": "76784001", "vagina": "76784001", "amnioticfluid": "77012006",
    "cabecaepescoco": "774007", "cabezaycuello": "774007", "headandneck": "774007", "headneck": "774007",
    "kopfhals": "774007", "kopfundhals": "774007", "testacollo": "774007", "tetecou": "774007",
    "teteetcou": "774007", "back": "77568009", "supraclavicular": "77621008",
    "supraclavicularregionofneck": "77621008", "upperinnerquadrantofbreast": "77831004", "placenta": "78067005",
    "abdominalaorta": "7832008", "scjoint": "7844006", "sternoclavicularjoint": "7844006",
    "rightpulmonaryartery": "78480002", "rpulmonarya": "78480002", "baco": "78961009", "bazo": "78961009",
    "milt": "78961009", "milz": "78961009", "milza": "78961009", "sledziona": "78961009", "spleen": "78961009",
    "fontanel": "79361005", "fontanelofskull": "79361005", "escapula": "79601000", "omoplate": "79601000",
    "omoplato": "79601000", "scapula": "79601000", "schouderblad": "79601000", "schulterblatt": "79601000",
    "commonbileduct": "79741001", "antcomma": "8012006", "anteriorcommunicatingartery": "8012006",
    "calcagno": "80144004", "calcaneo": "80144004", "calcaneum": "80144004", "calcaneus": "80144004",
    "ferse": "80144004", "fersenbein": "80144004", "heel": "80144004", "hielbeen": "80144004",
    "rightventricleinflow": "8017000", "eyelid": "80243003", "choroidplexus": "80621003", "cardiac": "80891009",
    "cardio": "80891009", "coeur": "80891009", "coracao": "80891009", "corazon": "80891009", "cuore": "80891009",
    "endocardiac": "80891009", "hart": "80891009", "heart": "80891009", "herz": "80891009", "hjaerta": "80891009",
    "hjarta": "80891009", "serce": "80891009", "srdce": "80891009", "καρδια": "80891009", "сердце": "80891009",
    "pulmonarya": "81040000", "pulmonaryartery": "81040000", "hypopharynx": "81502006", "bacino": "816092008",
    "backen": "816092008", "baecken": "816092008", "bassin": "816092008", "becken": "816092008",
    "bekken": "816092008", "miednica": "816092008", "panev": "816092008", "pelvi": "816092008",
    "pelvien": "816092008", "pelvis": "816092008", "πυελοσ": "816092008", "таз": "816092008",
    "borstkas": "816094009", "broestkorg": "816094009", "brostkorg": "816094009", "brustkorb": "816094009",
    "chest": "816094009", "chestpa": "816094009", "cxr": "816094009", "hrudnik": "816094009",
    "klatkapiersiowa": "816094009", "poitrine": "816094009", "thorax": "816094009", "thx": "816094009",
    "torace": "816094009", "torax": "816094009", "θωρακασ": "816094009", "груднаяклетка": "816094009",
    "intrapelvic": "816989007", "auge": "81745001", "augen": "81745001", "eye": "81745001", "eyes": "81745001",
    "occhi": "81745001", "occhio": "81745001", "oculus": "81745001", "oega": "81745001", "oeil": "81745001",
    "oga": "81745001", "ogen": "81745001", "ojo": "81745001", "ojos": "81745001", "oko": "81745001",
    "olho": "81745001", "oog": "81745001", "yeux": "81745001", "ματι": "81745001", "глаз": "81745001",
    "abd": "818981001", "abdo": "818981001", "abdomen": "818981001", "addome": "818981001", "bauch": "818981001",
    "bricho": "818981001", "brzuch": "818981001", "buik": "818981001", "buk": "818981001", "kub": "818981001",
    "vientre": "818981001", "κοιλια": "818981001", "живот": "818981001", "abdomenandpelvis": "818982008",
    "abdomenbecken": "818982008", "abdomenetpelvis": "818982008", "abdomenpelvis": "818982008",
    "abdomenundbecken": "818982008", "abdomenypelvis": "818982008", "abdominopelvic": "818982008",
    "abdominopelvien": "818982008", "abdopelvis": "818982008", "abdpel": "818982008", "abdpelv": "818982008",
    "abdpelvis": "818982008", "addomepelvi": "818982008", "bauchbecken": "818982008",
    "intraabdominopelvic": "818987002", "latrium": "82471001", "leftatrium": "82471001",
    "retroperitoneum": "82849001", "patentductusarteriosus": "83330001", "femoralv": "83419000",
    "femoralvein": "83419000", "eac": "84301002", "externalauditorycanal": "84301002", "humero": "85050009",
    "humerus": "85050009", "omero": "85050009", "leftinguinalregion": "85119005", "linguinal": "85119005",
    "vertebrala": "85234005", "vertebralartery": "85234005", "dlon": "85562004", "haende": "85562004",
    "hand": "85562004", "hande": "85562004", "handen": "85562004", "hands": "85562004", "main": "85562004",
    "mains": "85562004", "mani": "85562004", "mano": "85562004", "manos": "85562004", "mao": "85562004",
    "ruka": "85562004", "χερι": "85562004", "кисть": "85562004", "acjoint": "85856004",
    "acromioclavicularjoint": "85856004", "ica": "86117002", "internalcarotidartery": "86117002",
    "rsuppulmonaryv": "8629005", "superiorrightpulmonaryvein": "8629005", "leftupperquadrantofabdomen": "86367003",
    "luq": "86367003", "mesentericartery": "86570000", "mesentrica": "86570000", "apexoflung": "86598002",
    "fibula": "87342007", "epididymis": "87644002", "leftventricle": "87878005", "lventricle": "87878005",
    "endoureteric": "87953007", "ureter": "87953007", "peroneala": "8821006", "peronealartery": "8821006",
    "cerebrala": "88556005", "cerebralartery": "88556005", "innominatev": "8887007", "innominatevein": "8887007",
    "ansikte": "89545001", "face": "89545001", "gesicht": "89545001", "gezicht": "89545001",
    "mittelgesicht": "89545001", "rosto": "89545001", "twarz": "89545001", "visage": "89545001", "viso": "89545001",
    "crane": "89546000", "craneo": "89546000", "cranio": "89546000", "cranium": "89546000", "czaszka": "89546000",
    "lebka": "89546000", "schadel": "89546000", "schaedel": "89546000", "schedel": "89546000", "skalle": "89546000",
    "skull": "89546000", "κρανιο": "89546000", "череп": "89546000", "bexiga": "89837001", "blaas": "89837001",
    "bladder": "89837001", "blase": "89837001", "harnblase": "89837001", "pecherz": "89837001",
    "urinarybladder": "89837001", "vejiga": "89837001", "vescica": "89837001", "vessie": "89837001",
    "hepaticv": "8993003", "hepaticvein": "8993003", "internaliliacartery": "90024005", "intiliaca": "90024005",
    "coronarysinus": "90219004", "umbilical": "90290004", "umbilicalregion": "90290004",
    "ascendingcolon": "9040008", "facialbones": "91397008", "gesichtsschadel": "91397008",
    "gesichtsschaedel": "91397008", "macizofacial": "91397008", "massicciofacciale": "91397008",
    "massiffacial": "91397008", "axilla": "91470000", "mandible": "91609006", "mandibola": "91609006",
    "mandibula": "91609006", "mandibule": "91609006", "onderkaak": "91609006", "unterkiefer": "91609006",
    "zuchwa": "91609006", "parasternal": "91691001", "primitivepulmonaryartery": "91707000", "lumen": "91747007",
    "lumenofbloodvessel": "91747007", "bodyconduit": "91830000", "subclavianv": "9454009",
    "subclavianvein": "9454009", "bronchus": "955009", "thymus": "9875009"}'::jsonb ->> public.vocabulary_key(value);
end
$$;

-- The code of a Modality; null where the vocabulary does not know it.
create function modality_code(value text) returns text
    language plpgsql immutable strict parallel safe
as $$
begin
    return '{
    "ar": "AR", "autorefraction": "AR", "asmt": "ASMT", "contentassessmentresult": "ASMT", "au": "AU",
    "basicvoiceaudio": "AU", "bdus": "BDUS", "ultrasoundbonedensitometry": "BDUS", "bi": "BI",
    "biomagneticimaging": "BI", "bmd": "BMD", "bonemineraldensitometry": "BMD", "cfm": "CFM",
    "confocalmicroscopy": "CFM", "computedradiography": "CR", "cr": "CR", "cat": "CT", "computedtomography": "CT",
    "computedtomographyscanner": "CT", "computertomographie": "CT", "ct": "CT", "cta": "CT", "tac": "CT",
    "tc": "CT", "tdm": "CT", "tk": "CT", "ctprotocol": "CTPROTOCOL", "dg": "DG", "diaphanography": "DG",
    "dermoscopy": "DMS", "dms": "DMS", "doc": "DOC", "document": "DOC", "digitalradiography": "DX", "dx": "DX",
    "ecg": "ECG", "electrocardiography": "ECG", "eeg": "EEG", "electroencephalography": "EEG",
    "electromyography": "EMG", "emg": "EMG", "electrooculography": "EOG", "eog": "EOG",
    "cardiacelectrophysiology": "EPS", "eps": "EPS", "as": "ES", "cp": "ES", "cs": "ES", "endoscopy": "ES",
    "es": "ES", "lp": "ES", "fid": "FID", "spatialfiducials": "FID", "generalmicroscopy": "GM", "gm": "GM",
    "hardcopy": "HC", "hc": "HC", "hd": "HD", "hemodynamicwaveform": "HD", "intraoralradiography": "IO", "io": "IO",
    "intraocularlenscalculation": "IOL", "iol": "IOL", "intravascularopticalcoherencetomography": "IVOCT",
    "ivoct": "IVOCT", "intravascularultrasound": "IVUS", "ivus": "IVUS", "ker": "KER", "keratometry": "KER",
    "keyobjectselection": "KO", "ko": "KO", "len": "LEN", "lensometry": "LEN", "laserscan": "LS", "ls": "LS",
    "m3d": "M3D", "modelfor3dmanufacturing": "M3D", "mammo": "MG", "mammografia": "MG", "mammographie": "MG",
    "mammography": "MG", "mamografia": "MG", "mg": "MG", "irm": "MR", "ma": "MR", "magneticresonance": "MR",
    "magneticresonanceimaging": "MR", "mr": "MR", "mri": "MR", "mrt": "MR", "ms": "MR", "nmr": "MR", "rm": "MR",
    "rmn": "MR", "gammagrafia": "NM", "nm": "NM", "nuclearmedicine": "NM", "scintigraphie": "NM",
    "scintigraphy": "NM", "spect": "NM", "st": "NM", "szintigraphie": "NM", "oam": "OAM",
    "ophthalmicaxialmeasurements": "OAM", "oct": "OCT", "opticalcoherencetomography": "OCT", "fa": "OP", "fs": "OP",
    "fundus": "OP", "fundusphotography": "OP", "op": "OP", "ophthalmicphotography": "OP",
    "ophthalmicmapping": "OPM", "opm": "OPM", "ophthalmictomography": "OPT", "opt": "OPT",
    "ophthalmictomographybscanvolumeanalysis": "OPTBSV", "optbsv": "OPTBSV", "ophthalmictomographyenface": "OPTENF",
    "optenf": "OPTENF", "ophthalmicvisualfield": "OPV", "opv": "OPV", "opticalsurfacescanner": "OSS", "oss": "OSS",
    "ot": "OT", "other": "OT", "pa": "PA", "photoacoustic": "PA", "plan": "PLAN", "pos": "POS",
    "positionsensor": "POS", "pr": "PR", "presentationstate": "PR", "pet": "PT", "petct": "PT",
    "positronemissiontomography": "PT", "pt": "PT", "tep": "PT", "panoramicxray": "PX", "px": "PX", "reg": "REG",
    "registration": "REG", "resp": "RESP", "respiratorywaveform": "RESP", "cf": "RF", "df": "RF",
    "fluoroscopy": "RF", "radiofluoroscopy": "RF", "rf": "RF", "vf": "RF", "radiographicimaging": "RG", "rg": "RG",
    "rtdose": "RTDOSE", "rtimage": "RTIMAGE", "rtplan": "RTPLAN", "rtrecord": "RTRECORD",
    "rttreatmentrecord": "RTRECORD", "rtstruct": "RTSTRUCT", "rtstructureset": "RTSTRUCT",
    "realworldvaluemap": "RWV", "rwv": "RWV", "seg": "SEG", "segmentation": "SEG", "slidemicroscopy": "SM",
    "sm": "SM", "smr": "SMR", "stereometricrelationship": "SMR", "sr": "SR", "structuredreportdocument": "SR",
    "srf": "SRF", "subjectiverefraction": "SRF", "automatedslidestainer": "STAIN", "stain": "STAIN",
    "texturemap": "TEXTUREMAP", "tg": "TG", "thermography": "TG", "cd": "US", "dd": "US", "ec": "US", "echo": "US",
    "echographie": "US", "ecografia": "US", "sonographie": "US", "ultrasound": "US", "us": "US", "usg": "US",
    "va": "VA", "visualacuity": "VA", "angio": "XA", "angiographie": "XA", "angiography": "XA", "ds": "XA",
    "dsa": "XA", "xa": "XA", "xrayangiography": "XA", "externalcameraphotography": "XC", "xc": "XC"}'::jsonb ->> public.vocabulary_key(value);
end
$$;

-- The code of a Laterality; null where the vocabulary does not know it.
create function laterality_code(value text) returns text
    language plpgsql immutable strict parallel safe
as $$
begin
    return '{
    "derecha": "24028007", "derecho": "24028007", "destra": "24028007", "destro": "24028007", "dexter": "24028007",
    "direita": "24028007", "direito": "24028007", "droit": "24028007", "droite": "24028007", "od": "24028007",
    "prawa": "24028007", "prawy": "24028007", "r": "24028007", "rechts": "24028007", "right": "24028007",
    "rt": "24028007", "ambas": "51440002", "ambos": "51440002", "b": "51440002", "bds": "51440002",
    "beide": "51440002", "beidseits": "51440002", "bilateral": "51440002", "bilaterale": "51440002",
    "both": "51440002", "ou": "51440002", "unilateral": "66459002", "esquerda": "7771000", "esquerdo": "7771000",
    "gauche": "7771000", "izquierda": "7771000", "izquierdo": "7771000", "l": "7771000", "left": "7771000",
    "lewa": "7771000", "lewy": "7771000", "links": "7771000", "lt": "7771000", "os": "7771000",
    "sinister": "7771000", "sinistra": "7771000", "sinistro": "7771000"}'::jsonb ->> public.vocabulary_key(value);
end
$$;

alter table series
    add column body_part_code text collate "C" generated always as (body_part_code(body_part_examined)) stored,
    add column modality_code text collate "C" generated always as (modality_code(modality)) stored,
    add column laterality_code text collate "C" generated always as (laterality_code(laterality)) stored;

-- Behind pseudonyms a code follows its source: a code tells nothing but a part of the body, while the raw value
-- may be gone because it is no code string.
alter table pseudonymised.series
    add column body_part_code text collate "C",
    add column modality_code text collate "C",
    add column laterality_code text collate "C";
-- Filters by code (bodyPartExamined: code …), in lists of series and below filters of studies. Few series have a
-- laterality.
create index series_body_part_code on series (body_part_code);
create index series_modality_code on series (modality_code);
create index series_laterality_code on series (laterality_code) where laterality_code is not null;
create index series_body_part_code on pseudonymised.series (body_part_code);
create index series_modality_code on pseudonymised.series (modality_code);
create index series_laterality_code on pseudonymised.series (laterality_code) where laterality_code is not null;

-- ---- cohorts: filters that people saved, and what these found ------------------------------------------
-- The API's role reads none of these tables but through the views below; the owner's connection reads and writes
-- them with the person bound (db/cohorts/cohorts.py).

create table cohort (
    cohort_id uuid primary key default gen_random_uuid(),
    owner text not null,
    owner_name text,
    name text not null,
    description text,
    -- the StudyFilter as it was given, and the archives it asks; null: all that its reader may see
    filter jsonb not null,
    archives text[],
    -- whether the filter looks at what may identify a person (access/identifying.py)
    identifying boolean not null,
    created_at timestamptz not null default now()
);
-- A person's cohorts, the newest first.
create index cohort_owner on cohort (owner, created_at desc, cohort_id);

create table cohort_share (
    cohort_id uuid not null references cohort on delete cascade,
    kind text not null check (kind in ('person', 'ern', 'everyone')),
    name text not null,
    primary key (cohort_id, kind, name)
);
-- Cohorts that are shared with a person, their networks or everyone.
create index cohort_shared_with on cohort_share (kind, name);

create table cohort_version (
    version_id uuid primary key default gen_random_uuid(),
    cohort_id uuid not null references cohort on delete cascade,
    number integer not null,
    frozen_at timestamptz not null default now(),
    -- how many entries it has: for quotas alone, shown to nobody
    entries integer not null,
    unique (cohort_id, number)
);

-- Which archives a version asked, through which projection, and as of when their index was.
create table cohort_archive (
    version_id uuid not null references cohort_version on delete cascade,
    archive_id smallint not null references archive on delete cascade,
    projection text not null check (projection in ('records', 'pseudonyms')),
    as_of timestamptz,
    primary key (version_id, archive_id)
);
-- What goes with an archive.
create index cohort_archive_of on cohort_archive (archive_id);

-- Copies of a version, by the stored UID, which outlives rotated keys and rows that were made anew.
create table cohort_study (
    version_id uuid not null references cohort_version on delete cascade,
    archive_id smallint not null references archive on delete cascade,
    study_uid text collate "C" not null,
    -- who may read it: a list that was found by what identifies joins no pseudonym to a record
    of_records boolean not null,
    of_pseudonyms boolean not null,
    -- hashes of what stood there: the whole record, and what pseudonyms show of it too
    whole uuid not null,
    outline uuid not null,
    primary key (version_id, archive_id, study_uid)
);
-- What goes with an archive.
create index cohort_study_of on cohort_study (archive_id);

-- What a server says of itself and its copy is left out: it changes without the study.
create function study_whole(data jsonb, modalities text[], series integer, instances integer) returns uuid
    language sql stable parallel safe
    return md5((data - '{00080005,00080054,00080056,00080061,00080201,00081190,00201200,00201202,00201204,00201206,00201208}'::text[])::text
        || array_to_string(modalities, '\', '') || '/' || coalesce(series, -1) || '/' || coalesce(instances, -1))::uuid;

create function study_outline(modalities text[], series integer, instances integer) returns uuid
    language sql stable parallel safe
    return md5(array_to_string(modalities, '\', '') || '/' || coalesce(series, -1) || '/' || coalesce(instances, -1))::uuid;
