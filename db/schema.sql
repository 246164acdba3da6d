-- All migrations in one, made by `python -m db.schema`. Change db/migrations, not this file.

CREATE SCHEMA counts;

CREATE SCHEMA jobs;

CREATE SCHEMA pseudonymised;

CREATE SCHEMA pseudonyms;

CREATE SCHEMA records;

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

CREATE TYPE jobs.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE TYPE public.instance_group AS (
	sop_class_uid text,
	instances integer,
	held smallint[]
);

CREATE TYPE public.series_group AS (
	modality text,
	body_part_examined text,
	manufacturer text,
	series_description text,
	series integer,
	instances integer,
	held smallint[],
	study_date date,
	patient_birth_date date,
	patient_sex text
);

CREATE TYPE public.series_value AS ENUM (
    'modality',
    'series_description',
    'body_part_examined',
    'laterality',
    'protocol_name',
    'manufacturer',
    'manufacturer_model_name',
    'series_month',
    'instances_bits',
    'study_description'
);

CREATE FUNCTION public.body_part_code(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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

CREATE FUNCTION public.laterality_code(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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

CREATE FUNCTION public.modality_code(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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

CREATE FUNCTION public.scope_of(name text) RETURNS smallint[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(NULLIF(current_setting(('ernfed.'::text || name), true), ''::text), '{}'::text))::smallint[];

CREATE TABLE public.consent (
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    care boolean DEFAULT false NOT NULL,
    registry boolean DEFAULT false NOT NULL,
    research boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    given_at timestamp with time zone
);

CREATE TABLE public.series (
    series_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    modality text COLLATE pg_catalog."C",
    series_number integer,
    series_date date,
    series_time time without time zone,
    series_description text,
    body_part_examined text COLLATE pg_catalog."C",
    laterality text COLLATE pg_catalog."C",
    protocol_name text,
    manufacturer text COLLATE pg_catalog."C",
    manufacturer_model_name text COLLATE pg_catalog."C",
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    instances_synced_at timestamp with time zone,
    representative jsonb,
    representative_synced_at timestamp with time zone,
    data_sets_synced_at timestamp with time zone,
    data_sets_tried_at timestamp with time zone,
    body_part_code text GENERATED ALWAYS AS (public.body_part_code(body_part_examined)) STORED COLLATE pg_catalog."C",
    modality_code text GENERATED ALWAYS AS (public.modality_code(modality)) STORED COLLATE pg_catalog."C",
    laterality_code text GENERATED ALWAYS AS (public.laterality_code(laterality)) STORED COLLATE pg_catalog."C"
);

CREATE VIEW counts.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    representative,
    representative_synced_at,
    data_sets_synced_at,
    data_sets_tried_at,
    body_part_code,
    modality_code,
    laterality_code
   FROM public.series s
  WHERE ((array_position(( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text))), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE FUNCTION counts.series_union_instances(study text, uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM counts.series
   WHERE ((series.study_uid = series_union_instances.study) AND (series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE FUNCTION public.count_value(number numeric) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN ((number >= (0)::numeric) AND (number <= (2147483647)::numeric)) THEN (number)::integer ELSE NULL::integer END;

CREATE TABLE public.study (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_time time without time zone,
    accession_number text COLLATE pg_catalog."C",
    study_id text COLLATE pg_catalog."C",
    study_description text,
    referring_physician_name text,
    patient_id text COLLATE pg_catalog."C",
    issuer_of_patient_id text COLLATE pg_catalog."C",
    patient_name text,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    modalities text[] DEFAULT '{}'::text[] NOT NULL,
    number_of_series integer,
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    search tsvector DEFAULT ''::tsvector NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    series_synced_at timestamp with time zone,
    patient_key text GENERATED ALWAYS AS (((COALESCE(patient_id, ''::text) || '\'::text) || COALESCE(issuer_of_patient_id, ''::text))) STORED NOT NULL COLLATE pg_catalog."C",
    patient_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    patient_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    referring_physician_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    referring_physician_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE VIEW counts.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM public.study s
  WHERE ((array_position(( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text))), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE FUNCTION counts.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT public.count_value((GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM counts.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM counts.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::numeric) AS count_value;
END;

CREATE FUNCTION counts.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM counts.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION counts.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM counts.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM counts.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION jobs.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ernfed_jobs',
            json_build_object(
                'channel', 'ernfed_jobs',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE TABLE pseudonymised.series (
    series_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    modality text COLLATE pg_catalog."C",
    series_number integer,
    series_date date,
    series_time time without time zone,
    series_description text,
    body_part_examined text COLLATE pg_catalog."C",
    laterality text COLLATE pg_catalog."C",
    protocol_name text,
    manufacturer text COLLATE pg_catalog."C",
    manufacturer_model_name text COLLATE pg_catalog."C",
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    instances_synced_at timestamp with time zone,
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL,
    representative jsonb,
    representative_synced_at timestamp with time zone,
    body_part_code text COLLATE pg_catalog."C",
    modality_code text COLLATE pg_catalog."C",
    laterality_code text COLLATE pg_catalog."C"
);

CREATE TABLE pseudonymised.study (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_time time without time zone,
    accession_number text COLLATE pg_catalog."C",
    study_id text COLLATE pg_catalog."C",
    study_description text,
    referring_physician_name text,
    patient_id text COLLATE pg_catalog."C",
    issuer_of_patient_id text COLLATE pg_catalog."C",
    patient_name text,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    modalities text[] DEFAULT '{}'::text[] NOT NULL,
    number_of_series integer,
    number_of_instances integer,
    shared boolean DEFAULT false NOT NULL,
    search tsvector DEFAULT ''::tsvector NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    series_synced_at timestamp with time zone,
    patient_key text GENERATED ALWAYS AS (((COALESCE(patient_id, ''::text) || '\'::text) || COALESCE(issuer_of_patient_id, ''::text))) STORED NOT NULL COLLATE pg_catalog."C",
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL,
    patient_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    patient_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    referring_physician_name_keys tsvector DEFAULT ''::tsvector NOT NULL,
    referring_physician_name_forms text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
);

CREATE FUNCTION pseudonymised.study_values(uid text, archive smallint, shared boolean) RETURNS TABLE(archive_id smallint, name public.series_value, value text)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.archive_id,
     v.name,
     v.value
    FROM (( SELECT s_1.series_pk,
             s_1.archive_id,
             s_1.study_uid,
             s_1.series_uid,
             s_1.modality,
             s_1.series_number,
             s_1.series_date,
             s_1.series_time,
             s_1.series_description,
             s_1.body_part_examined,
             s_1.laterality,
             s_1.protocol_name,
             s_1.manufacturer,
             s_1.manufacturer_model_name,
             s_1.number_of_instances,
             s_1.shared,
             s_1.data,
             s_1.synced_at,
             s_1.instances_synced_at,
             s_1.source_pk,
             s_1.key_id,
             s_1.research,
             s_1.made_for,
             s_1.representative,
             s_1.representative_synced_at,
             s_1.body_part_code,
             s_1.modality_code,
             s_1.laterality_code
            FROM pseudonymised.series s_1
           WHERE ((s_1.study_uid = study_values.uid) AND (study_values.shared OR (s_1.archive_id = study_values.archive)))
          OFFSET 0) s
      CROSS JOIN LATERAL ( VALUES ('modality'::public.series_value,s.modality), ('series_description'::public.series_value,s.series_description), ('body_part_examined'::public.series_value,s.body_part_examined), ('protocol_name'::public.series_value,s.protocol_name), ('manufacturer'::public.series_value,s.manufacturer), ('manufacturer_model_name'::public.series_value,s.manufacturer_model_name), ('laterality'::public.series_value,s.laterality), ('series_month'::public.series_value,to_char((s.series_date)::timestamp with time zone, 'YYYY-MM'::text)), ('instances_bits'::public.series_value,(length(ltrim(((s.number_of_instances)::bit(32))::text, '0'::text)))::text)) v(name, value))
   WHERE (v.value IS NOT NULL)
 UNION
  SELECT s.archive_id,
     v.name,
     v.value
    FROM (( SELECT s_1.archive_id,
             s_1.modalities,
             s_1.study_description
            FROM pseudonymised.study s_1
           WHERE ((s_1.study_uid = study_values.uid) AND (study_values.shared OR (s_1.archive_id = study_values.archive)))
          OFFSET 0) s
      CROSS JOIN LATERAL ( SELECT 'modality'::public.series_value AS series_value,
             modality.modality
            FROM unnest(s.modalities) modality(modality)
         UNION ALL
          SELECT 'study_description'::public.series_value,
             s.study_description
           WHERE (s.study_description IS NOT NULL)) v(name, value));
END;

CREATE FUNCTION public.consent_version(archive smallint, uid text) RETURNS bigint
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT COALESCE(bit_xor(hash_record_extended(ROW(consent.care, consent.registry, consent.research), (0)::bigint)), (0)::bigint) AS "coalesce"
    FROM public.consent
   WHERE ((consent.archive_id = consent_version.archive) AND (consent.study_uid = consent_version.uid) AND (consent.care OR consent.registry OR consent.research));
END;

CREATE TABLE pseudonymised.instance (
    instance_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    sop_uid text NOT NULL COLLATE pg_catalog."C",
    sop_class_uid text COLLATE pg_catalog."C",
    instance_number integer,
    rows integer,
    columns integer,
    number_of_frames integer,
    transfer_syntax_uid text COLLATE pg_catalog."C",
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata_synced_at timestamp with time zone,
    source_pk bigint NOT NULL,
    key_id text DEFAULT ''::text NOT NULL,
    research boolean DEFAULT false NOT NULL,
    made_for text DEFAULT ''::text NOT NULL
);

CREATE FUNCTION pseudonymised.study_version_of(archive smallint, uid text, source text) RETURNS bigint
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (((public.consent_version(archive, source) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(study.source_pk, study.synced_at, study.key_id, study.made_for, study.modalities, study.number_of_series, study.number_of_instances), (1)::bigint)) AS bit_xor
            FROM pseudonymised.study
           WHERE ((study.study_uid = study_version_of.uid) AND (study.archive_id = study_version_of.archive))), (0)::bigint)) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(series.series_uid, series.synced_at, series.key_id, series.made_for, series.number_of_instances), (2)::bigint)) AS bit_xor
            FROM pseudonymised.series
           WHERE ((series.study_uid = study_version_of.uid) AND (series.archive_id = study_version_of.archive))), (0)::bigint)) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(instance.sop_uid, instance.series_uid, instance.synced_at, instance.key_id, instance.made_for), (3)::bigint)) AS bit_xor
            FROM pseudonymised.instance
           WHERE ((instance.study_uid = study_version_of.uid) AND (instance.archive_id = study_version_of.archive))), (0)::bigint));
END;

CREATE VIEW pseudonyms.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    source_pk,
    key_id,
    research,
    made_for,
    representative,
    representative_synced_at,
    body_part_code,
    modality_code,
    laterality_code
   FROM pseudonymised.series s
  WHERE ((array_position(( SELECT public.scope_of('pseudonymised'::text) AS scope_of), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE FUNCTION pseudonyms.series_union_instances(study text, uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM pseudonyms.series
   WHERE ((series.study_uid = series_union_instances.study) AND (series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE VIEW pseudonyms.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    source_pk,
    key_id,
    research,
    made_for,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM pseudonymised.study s
  WHERE ((array_position(( SELECT public.scope_of('pseudonymised'::text) AS scope_of), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE FUNCTION pseudonyms.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT public.count_value((GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM pseudonyms.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM pseudonyms.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::numeric) AS count_value;
END;

CREATE FUNCTION pseudonyms.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM pseudonyms.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION pseudonyms.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM pseudonyms.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM pseudonyms.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE FUNCTION public.add_values() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into study_value_count as c (archive_id, name, value, studies)
    select archive_id, name, value, count(*) from changed group by 1, 2, 3
    on conflict (name, value, archive_id) do update set studies = c.studies + excluded.studies;
    return null;
end $$;

CREATE FUNCTION public.age_band(study_date date, patient_birth_date date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((study_date < patient_birth_date) OR (EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)) > (130)::numeric)) THEN NULL::text WHEN (EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)) >= (90)::numeric) THEN '90+'::text ELSE ((((((EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)))::integer / 5) * 5))::text || '-'::text) || (((((EXTRACT(year FROM age((study_date)::timestamp without time zone, (patient_birth_date)::timestamp without time zone)))::integer / 5) * 5) + 4))::text) END;

CREATE FUNCTION public.audit_append(lines text[], times timestamp with time zone[], touch_line integer[], touch_key bytea[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
    line text;
    head bytea;
    before bigint;
    number bigint;
begin
    perform pg_advisory_xact_lock(1634493799);
    select e.id, e.digest into before, head from audit_event e order by e.id desc limit 1;
    if not found then
        before := 0;
        head := decode(repeat('00', 32), 'hex');
    end if;
    number := before;
    foreach line in array lines loop
        number := number + 1;
        head := sha256(head || convert_to(line, 'UTF8'));
        insert into audit_event (id, at, digest, payload) values (number, times[number - before], head, line);
    end loop;
    insert into audit_touch (key, event_id)
        select t.key, before + t.line from unnest(touch_line, touch_key) t (line, key);
    return number;
end $$;

CREATE FUNCTION public.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise insufficient_privilege using message = format('%s is append-only', tg_table_name);
end $$;

CREATE TABLE public.study_fact (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    holding_id integer NOT NULL,
    shared boolean NOT NULL,
    apart boolean NOT NULL,
    mixed boolean NOT NULL,
    person text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    study_description text,
    modalities text[] NOT NULL,
    body_parts text[] NOT NULL,
    manufacturers text[] NOT NULL,
    series_descriptions text[] NOT NULL,
    sop_classes text[] NOT NULL,
    number_of_series integer NOT NULL,
    number_of_instances integer NOT NULL,
    series_groups public.series_group[] NOT NULL,
    instance_groups public.instance_group[] NOT NULL,
    series_rows integer NOT NULL,
    instance_rows integer NOT NULL
);

CREATE FUNCTION public.cells_of(f public.study_fact) RETURNS TABLE(kind smallint, study_date date, patient_birth_date date, patient_sex text, age_band text, study_description text, series_description text, modalities text[], body_parts text[], manufacturers text[], sop_classes text[], held smallint[], mixed boolean, nodes integer, number_of_series integer, number_of_instances integer, series_rows integer, instance_rows integer)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT c.kind,
     c.study_date,
     c.patient_birth_date,
     c.patient_sex,
     c.age_band,
     c.study_description,
     NULL::text AS text,
     c.modalities,
     c.body_parts,
     c.manufacturers,
     c.sop_classes,
     NULL::smallint[] AS int2,
     (cells_of.f).mixed AS mixed,
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
         CASE c.kind
             WHEN 0 THEN (cells_of.f).series_rows
             ELSE 0
         END AS "case",
         CASE c.kind
             WHEN 0 THEN (cells_of.f).instance_rows
             ELSE 0
         END AS "case"
    FROM ( VALUES ((0)::smallint,NULL::date,NULL::date,NULL::text,NULL::text,NULL::text,NULL::text[],NULL::text[],NULL::text[],NULL::text[]), ((1)::smallint,(date_trunc('year'::text, ((cells_of.f).study_date)::timestamp without time zone))::date,NULL::date,(cells_of.f).patient_sex,NULL::text,NULL::text,(cells_of.f).modalities,(cells_of.f).body_parts,NULL::text[],NULL::text[]), ((2)::smallint,NULL::date,NULL::date,NULL::text,NULL::text,NULL::text,(cells_of.f).modalities,(cells_of.f).body_parts,(cells_of.f).manufacturers,NULL::text[]), ((3)::smallint,NULL::date,NULL::date,(cells_of.f).patient_sex,public.age_band((cells_of.f).study_date, (cells_of.f).patient_birth_date),NULL::text,(cells_of.f).modalities,NULL::text[],NULL::text[],NULL::text[]), ((4)::smallint,(date_trunc('month'::text, ((cells_of.f).study_date)::timestamp without time zone))::date,NULL::date,(cells_of.f).patient_sex,NULL::text,NULL::text,(cells_of.f).modalities,NULL::text[],NULL::text[],NULL::text[]), ((5)::smallint,NULL::date,NULL::date,NULL::text,NULL::text,NULL::text,NULL::text[],NULL::text[],NULL::text[],(cells_of.f).sop_classes), ((6)::smallint,NULL::date,NULL::date,NULL::text,NULL::text,(cells_of.f).study_description,NULL::text[],NULL::text[],NULL::text[],NULL::text[]), ((7)::smallint,(cells_of.f).study_date,NULL::date,NULL::text,NULL::text,NULL::text,NULL::text[],NULL::text[],NULL::text[],NULL::text[]), ((8)::smallint,NULL::date,(cells_of.f).patient_birth_date,NULL::text,NULL::text,NULL::text,NULL::text[],NULL::text[],NULL::text[],NULL::text[])) c(kind, study_date, patient_birth_date, patient_sex, age_band, study_description, modalities, body_parts, manufacturers, sop_classes)
 UNION ALL
  SELECT 9,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     d.d,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::text[],
     NULL::smallint[],
     (cells_of.f).mixed AS mixed,
     1,
     (cells_of.f).number_of_series AS number_of_series,
     (cells_of.f).number_of_instances AS number_of_instances,
     0,
     0
    FROM unnest(
         CASE
             WHEN ((cells_of.f).series_descriptions = '{}'::text[]) THEN ARRAY[NULL::text]
             ELSE (cells_of.f).series_descriptions
         END) d(d)
 UNION ALL
  SELECT 20,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     array_remove(ARRAY[g.body_part_examined], NULL::text) AS array_remove,
     array_remove(ARRAY[g.manufacturer], NULL::text) AS array_remove,
     NULL::text[],
     g.held,
     (cells_of.f).mixed AS mixed,
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances, held, study_date, patient_birth_date, patient_sex)
 UNION ALL
  SELECT 21,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     g.series_description,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     g.held,
     (cells_of.f).mixed AS mixed,
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances, held, study_date, patient_birth_date, patient_sex)
 UNION ALL
  SELECT 22,
     (date_trunc('year'::text, (a.study_date)::timestamp without time zone))::date AS date_trunc,
     NULL::date,
     a.patient_sex,
     public.age_band(a.study_date, a.patient_birth_date) AS age_band,
     NULL::text,
     NULL::text,
     array_remove(ARRAY[g.modality], NULL::text) AS array_remove,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     g.held,
     (cells_of.f).mixed AS mixed,
     g.series,
     g.series,
     g.instances,
     0,
     0
    FROM (unnest((cells_of.f).series_groups) g(modality, body_part_examined, manufacturer, series_description, series, instances, held, study_date, patient_birth_date, patient_sex)
      CROSS JOIN LATERAL ( SELECT
                 CASE
                     WHEN (g.held IS NULL) THEN (cells_of.f).study_date
                     ELSE g.study_date
                 END AS study_date,
                 CASE
                     WHEN (g.held IS NULL) THEN (cells_of.f).patient_birth_date
                     ELSE g.patient_birth_date
                 END AS patient_birth_date,
                 CASE
                     WHEN (g.held IS NULL) THEN (cells_of.f).patient_sex
                     ELSE g.patient_sex
                 END AS patient_sex) a)
 UNION ALL
  SELECT 30,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text,
     NULL::text[],
     NULL::text[],
     NULL::text[],
     array_remove(ARRAY[g.sop_class_uid], NULL::text) AS array_remove,
     g.held,
     (cells_of.f).mixed AS mixed,
     g.instances,
     0,
     g.instances,
     0,
     0
    FROM unnest((cells_of.f).instance_groups) g(sop_class_uid, instances, held);
END;

CREATE FUNCTION public.count_without() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    call fill_rollups();
    return null;
end
$$;

CREATE TABLE public.archive (
    archive_id smallint NOT NULL,
    code text NOT NULL,
    ern text NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    index_level text NOT NULL,
    rank smallint NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    health_state text DEFAULT 'UNKNOWN'::text NOT NULL,
    health_checked_at timestamp with time zone,
    health_latency_ms double precision,
    health_error_code text,
    health_error_message text,
    capabilities jsonb DEFAULT '{}'::jsonb NOT NULL,
    change_cursor bigint,
    last_completed_at timestamp with time zone,
    last_reconciled_at timestamp with time zone,
    last_change_at timestamp with time zone,
    CONSTRAINT archive_health_state_check CHECK ((health_state = ANY (ARRAY['UP'::text, 'DEGRADED'::text, 'DOWN'::text, 'UNKNOWN'::text]))),
    CONSTRAINT archive_index_level_check CHECK ((index_level = ANY (ARRAY['study'::text, 'series'::text, 'instance'::text])))
);

CREATE FUNCTION public.counted_holders(family text) RETURNS smallint[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN ((count(*) <> count(DISTINCT s.archive_id)) OR ((count(*) < 1) OR (count(*) > 3))) THEN NULL::smallint[]
             ELSE array_agg(s.archive_id ORDER BY a.rank, s.archive_id)
         END AS array_agg
    FROM (public.study s
      JOIN public.archive a USING (archive_id))
   WHERE (s.study_uid = counted_holders.family);
END;

CREATE FUNCTION public.element_values(item jsonb, tag text) RETURNS SETOF jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN jsonb_array_elements(CASE jsonb_typeof(((item -> tag) -> 'Value'::text)) WHEN 'array'::text THEN ((item -> tag) -> 'Value'::text) ELSE '[]'::jsonb END);

CREATE FUNCTION public.holding_of(chosen smallint[], holders smallint[]) RETURNS smallint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT COALESCE(array_agg(id.id ORDER BY id.id), '{}'::smallint[]) AS "coalesce" FROM unnest(holding_of.holders) id(id) WHERE (id.id <> ALL (holding_of.chosen)));

CREATE FUNCTION public.subsets(ids smallint[]) RETURNS SETOF smallint[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT array_agg((subsets.ids)[(n.n + 1)] ORDER BY n.n) AS array_agg
    FROM (generate_series(1, ((1 << cardinality(subsets.ids)) - 1)) chosen(bits)
      CROSS JOIN generate_series(0, (cardinality(subsets.ids) - 1)) n(n))
   WHERE (((chosen.bits >> n.n) & 1) = 1)
   GROUP BY chosen.bits;
END;

CREATE TABLE public.instance (
    instance_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    series_uid text NOT NULL COLLATE pg_catalog."C",
    sop_uid text NOT NULL COLLATE pg_catalog."C",
    sop_class_uid text COLLATE pg_catalog."C",
    instance_number integer,
    rows integer,
    columns integer,
    number_of_frames integer,
    transfer_syntax_uid text COLLATE pg_catalog."C",
    shared boolean DEFAULT false NOT NULL,
    data jsonb NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    metadata_synced_at timestamp with time zone
);

CREATE TABLE public.rollup_holding (
    holding_id integer NOT NULL,
    seen smallint[] NOT NULL,
    elsewhere smallint[] NOT NULL
);

CREATE FUNCTION public.shared_facts(family text) RETURNS SETOF public.study_fact
    LANGUAGE sql STABLE STRICT ROWS 3 PARALLEL SAFE
    BEGIN ATOMIC
 WITH known AS MATERIALIZED (
          SELECT public.counted_holders(shared_facts.family) AS holders
         ), held AS MATERIALIZED (
          SELECT study.study_pk,
             study.archive_id,
             study.study_uid,
             study.study_date,
             study.study_time,
             study.accession_number,
             study.study_id,
             study.study_description,
             study.referring_physician_name,
             study.patient_id,
             study.issuer_of_patient_id,
             study.patient_name,
             study.patient_birth_date,
             study.patient_sex,
             study.modalities,
             study.number_of_series,
             study.number_of_instances,
             study.shared,
             study.search,
             study.data,
             study.synced_at,
             study.series_synced_at,
             study.patient_key,
             study.patient_name_keys,
             study.patient_name_forms,
             study.referring_physician_name_keys,
             study.referring_physician_name_forms
            FROM public.study
           WHERE (study.study_uid = shared_facts.family)
         ), chosen AS MATERIALIZED (
          SELECT h.holding_id,
             h.seen
            FROM ((known k
              CROSS JOIN LATERAL public.subsets(k.holders) t(seen))
              JOIN public.rollup_holding h ON (((h.seen = t.seen) AND (h.elsewhere = public.holding_of(t.seen, k.holders)))))
         )
  SELECT shared_facts.family AS family,
     t.holding_id,
     true,
     false,
     (u.differ OR x.differ OR o.differ),
         CASE
             WHEN (b.patient_id IS NULL) THEN ('\\'::text || shared_facts.family)
             ELSE b.patient_key
         END AS patient_key,
     b.study_date,
     b.patient_birth_date,
     b.patient_sex,
     b.study_description,
     m.modalities,
     COALESCE(x.body_parts, '{}'::text[]) AS "coalesce",
     COALESCE(x.manufacturers, '{}'::text[]) AS "coalesce",
     COALESCE(x.series_descriptions, '{}'::text[]) AS "coalesce",
     COALESCE(o.sop_classes, '{}'::text[]) AS "coalesce",
     GREATEST(u.series, n.series, 0) AS "greatest",
     COALESCE(public.count_value(GREATEST((u.instances)::numeric, n.instances)), 0) AS "coalesce",
     COALESCE(n.groups, '{}'::public.series_group[]) AS "coalesce",
     COALESCE(i.groups, '{}'::public.instance_group[]) AS "coalesce",
     COALESCE(n.series, 0) AS "coalesce",
     COALESCE(i.instance_rows, 0) AS "coalesce"
    FROM (((((((chosen t
      CROSS JOIN LATERAL ( SELECT held.study_pk,
             held.archive_id,
             held.study_uid,
             held.study_date,
             held.study_time,
             held.accession_number,
             held.study_id,
             held.study_description,
             held.referring_physician_name,
             held.patient_id,
             held.issuer_of_patient_id,
             held.patient_name,
             held.patient_birth_date,
             held.patient_sex,
             held.modalities,
             held.number_of_series,
             held.number_of_instances,
             held.shared,
             held.search,
             held.data,
             held.synced_at,
             held.series_synced_at,
             held.patient_key,
             held.patient_name_keys,
             held.patient_name_forms,
             held.referring_physician_name_keys,
             held.referring_physician_name_forms
            FROM held
           WHERE (held.archive_id = t.seen[1])) b)
      CROSS JOIN LATERAL ( SELECT max(held.number_of_series) AS series,
             max(held.number_of_instances) AS instances,
             (count(DISTINCT ROW(held.study_date, held.patient_birth_date, held.patient_sex, held.study_description)) > 1) AS differ
            FROM held
           WHERE (held.archive_id = ANY (t.seen))) u)
      CROSS JOIN LATERAL ( SELECT COALESCE(array_agg(DISTINCT v.modality ORDER BY v.modality), '{}'::text[]) AS modalities
            FROM (held h
              CROSS JOIN LATERAL unnest(h.modalities) v(modality))
           WHERE (h.archive_id = ANY (t.seen))) m)
      CROSS JOIN LATERAL ( SELECT array_agg(DISTINCT series.body_part_examined) FILTER (WHERE (series.body_part_examined IS NOT NULL)) AS body_parts,
             array_agg(DISTINCT series.manufacturer) FILTER (WHERE (series.manufacturer IS NOT NULL)) AS manufacturers,
             array_agg(DISTINCT series.series_description) FILTER (WHERE (series.series_description IS NOT NULL)) AS series_descriptions,
             (count(DISTINCT ROW(series.series_uid, series.modality, series.body_part_examined, series.manufacturer, series.series_description)) > count(DISTINCT series.series_uid)) AS differ
            FROM public.series
           WHERE ((series.study_uid = shared_facts.family) AND (series.archive_id = ANY (t.seen)))) x)
      CROSS JOIN LATERAL ( SELECT (sum(g.series))::integer AS series,
             sum(g.instances) AS instances,
             array_agg(ROW(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series, (LEAST(COALESCE(g.instances, (0)::bigint), (2147483647)::bigint))::integer, g.held, a.study_date, a.patient_birth_date, a.patient_sex)::public.series_group ORDER BY g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.held) AS groups
            FROM (( SELECT node.modality,
                     node.body_part_examined,
                     node.manufacturer,
                     node.series_description,
                     NULLIF(ARRAY( SELECT id.id
                            FROM unnest(t.seen) id(id)
                           WHERE (id.id = ANY (node.holders))), t.seen) AS held,
                     (count(*))::integer AS series,
                     sum(node.instances) AS instances
                    FROM ( SELECT DISTINCT ON (series.series_uid) series.modality,
                             series.body_part_examined,
                             series.manufacturer,
                             series.series_description,
                             array_agg(series.archive_id) OVER same AS holders,
                             max(series.number_of_instances) OVER same AS instances
                            FROM public.series
                           WHERE ((series.study_uid = shared_facts.family) AND (series.archive_id = ANY (t.seen)))
                           WINDOW same AS (PARTITION BY series.series_uid)
                           ORDER BY series.series_uid, (array_position(t.seen, series.archive_id))) node
                   GROUP BY node.modality, node.body_part_examined, node.manufacturer, node.series_description, NULLIF(ARRAY( SELECT id.id
                            FROM unnest(t.seen) id(id)
                           WHERE (id.id = ANY (node.holders))), t.seen)) g
              LEFT JOIN held a ON ((a.archive_id = g.held[1])))) n)
      CROSS JOIN LATERAL ( SELECT array_agg(DISTINCT instance.sop_class_uid) FILTER (WHERE (instance.sop_class_uid IS NOT NULL)) AS sop_classes,
             (count(DISTINCT ROW(instance.series_uid, instance.sop_uid, instance.sop_class_uid)) > count(DISTINCT ROW(instance.series_uid, instance.sop_uid))) AS differ
            FROM public.instance
           WHERE ((instance.study_uid = shared_facts.family) AND (instance.archive_id = ANY (t.seen)))) o)
      CROSS JOIN LATERAL ( SELECT (sum(g.instances))::integer AS instance_rows,
             array_agg(ROW(g.sop_class_uid, g.instances, g.held)::public.instance_group ORDER BY g.sop_class_uid, g.held) AS groups
            FROM ( SELECT node.sop_class_uid,
                     NULLIF(ARRAY( SELECT id.id
                            FROM unnest(t.seen) id(id)
                           WHERE (id.id = ANY (node.holders))), t.seen) AS held,
                     (count(*))::integer AS instances
                    FROM ( SELECT DISTINCT ON (instance.series_uid, instance.sop_uid) instance.sop_class_uid,
                             array_agg(instance.archive_id) OVER same AS holders
                            FROM public.instance
                           WHERE ((instance.study_uid = shared_facts.family) AND (instance.archive_id = ANY (t.seen)))
                           WINDOW same AS (PARTITION BY instance.series_uid, instance.sop_uid)
                           ORDER BY instance.series_uid, instance.sop_uid, (array_position(t.seen, instance.archive_id))) node
                   GROUP BY node.sop_class_uid, NULLIF(ARRAY( SELECT id.id
                            FROM unnest(t.seen) id(id)
                           WHERE (id.id = ANY (node.holders))), t.seen)) g) i)
 UNION ALL
  SELECT shared_facts.family AS family,
     h.holding_id,
     true,
     true,
     false,
     ''::text,
     NULL::date,
     NULL::date,
     NULL::text,
     NULL::text,
     '{}'::text[],
     '{}'::text[],
     '{}'::text[],
     '{}'::text[],
     '{}'::text[],
     0,
     0,
     '{}'::public.series_group[],
     '{}'::public.instance_group[],
     0,
     0
    FROM ((known k
      CROSS JOIN ( SELECT DISTINCT held.archive_id
            FROM held) s)
      JOIN public.rollup_holding h ON (((h.seen = ARRAY[s.archive_id]) AND (h.elsewhere = '{}'::smallint[]))))
   WHERE (k.holders IS NULL);
END;

CREATE VIEW public.fact_now AS
 SELECT s.study_uid,
    w.holding_id,
    false AS shared,
    false AS apart,
    false AS mixed,
        CASE
            WHEN (s.patient_id IS NULL) THEN ('\\'::text || s.study_uid)
            ELSE s.patient_key
        END AS person,
    s.study_date,
    s.patient_birth_date,
    s.patient_sex,
    s.study_description,
    s.modalities,
    COALESCE(x.body_parts, '{}'::text[]) AS body_parts,
    COALESCE(x.manufacturers, '{}'::text[]) AS manufacturers,
    COALESCE(x.series_descriptions, '{}'::text[]) AS series_descriptions,
    COALESCE(i.sop_classes, '{}'::text[]) AS sop_classes,
    COALESCE(s.number_of_series, 0) AS number_of_series,
    COALESCE(s.number_of_instances, 0) AS number_of_instances,
    COALESCE(x.groups, '{}'::public.series_group[]) AS series_groups,
    COALESCE(i.groups, '{}'::public.instance_group[]) AS instance_groups,
    COALESCE(x.series_rows, 0) AS series_rows,
    COALESCE(i.instance_rows, 0) AS instance_rows
   FROM (((public.study s
     JOIN public.rollup_holding w ON (((w.seen = ARRAY[s.archive_id]) AND (w.elsewhere = '{}'::smallint[]))))
     CROSS JOIN LATERAL ( SELECT array_agg(DISTINCT g.body_part_examined) FILTER (WHERE (g.body_part_examined IS NOT NULL)) AS body_parts,
            array_agg(DISTINCT g.manufacturer) FILTER (WHERE (g.manufacturer IS NOT NULL)) AS manufacturers,
            array_agg(DISTINCT g.series_description) FILTER (WHERE (g.series_description IS NOT NULL)) AS series_descriptions,
            array_agg(ROW(g.modality, g.body_part_examined, g.manufacturer, g.series_description, g.series, g.instances, NULL::smallint[], NULL::date, NULL::date, NULL::text)::public.series_group ORDER BY g.modality, g.body_part_examined, g.manufacturer, g.series_description) AS groups,
            (sum(g.series))::integer AS series_rows
           FROM ( SELECT series.modality,
                    series.body_part_examined,
                    series.manufacturer,
                    series.series_description,
                    (count(*))::integer AS series,
                    (LEAST(COALESCE(sum(series.number_of_instances), (0)::bigint), (2147483647)::bigint))::integer AS instances
                   FROM public.series
                  WHERE ((series.study_uid = s.study_uid) AND (series.archive_id = s.archive_id))
                  GROUP BY series.modality, series.body_part_examined, series.manufacturer, series.series_description) g) x)
     CROSS JOIN LATERAL ( SELECT array_agg(g.sop_class_uid ORDER BY g.sop_class_uid) FILTER (WHERE (g.sop_class_uid IS NOT NULL)) AS sop_classes,
            array_agg(ROW(g.sop_class_uid, g.instances, NULL::smallint[])::public.instance_group ORDER BY g.sop_class_uid) AS groups,
            (sum(g.instances))::integer AS instance_rows
           FROM ( SELECT instance.sop_class_uid,
                    (count(*))::integer AS instances
                   FROM public.instance
                  WHERE ((instance.study_uid = s.study_uid) AND (instance.archive_id = s.archive_id))
                  GROUP BY instance.sop_class_uid) g) i)
  WHERE (NOT s.shared)
UNION ALL
 SELECT u.study_uid,
    f.holding_id,
    f.shared,
    f.apart,
    f.mixed,
    f.person,
    f.study_date,
    f.patient_birth_date,
    f.patient_sex,
    f.study_description,
    f.modalities,
    f.body_parts,
    f.manufacturers,
    f.series_descriptions,
    f.sop_classes,
    f.number_of_series,
    f.number_of_instances,
    f.series_groups,
    f.instance_groups,
    f.series_rows,
    f.instance_rows
   FROM (( SELECT DISTINCT study.study_uid
           FROM public.study
          WHERE study.shared) u
     CROSS JOIN LATERAL public.shared_facts(u.study_uid) f(study_uid, holding_id, shared, apart, mixed, person, study_date, patient_birth_date, patient_sex, study_description, modalities, body_parts, manufacturers, series_descriptions, sop_classes, number_of_series, number_of_instances, series_groups, instance_groups, series_rows, instance_rows));

CREATE TABLE public.rollup_cell (
    holding_id integer NOT NULL,
    kind smallint NOT NULL,
    cell uuid NOT NULL,
    study_date date,
    patient_birth_date date,
    patient_sex text COLLATE pg_catalog."C",
    age_band text COLLATE pg_catalog."C",
    study_description text,
    series_description text,
    modalities text[],
    body_parts text[],
    manufacturers text[],
    sop_classes text[],
    held smallint[],
    mixed boolean NOT NULL,
    nodes bigint NOT NULL,
    number_of_series bigint NOT NULL,
    number_of_instances bigint NOT NULL,
    series_rows bigint NOT NULL,
    instance_rows bigint NOT NULL
);

CREATE TABLE public.rollup_person (
    person text NOT NULL COLLATE pg_catalog."C",
    holding_id integer NOT NULL,
    studies integer NOT NULL
);

CREATE TABLE public.rollup_person_set (
    set_id bigint NOT NULL,
    holdings integer[] NOT NULL,
    persons bigint NOT NULL
);

CREATE PROCEDURE public.fill_rollups()
    LANGUAGE sql
    BEGIN ATOMIC
 DELETE FROM public.study_fact;
 DELETE FROM public.rollup_cell;
 DELETE FROM public.rollup_person;
 DELETE FROM public.rollup_person_set;
 DELETE FROM public.rollup_holding;
 INSERT INTO public.rollup_holding (seen, elsewhere)  SELECT ARRAY[archive.archive_id] AS "array",
             '{}'
            FROM public.archive;
 INSERT INTO public.rollup_holding (seen, elsewhere)  SELECT DISTINCT t.seen,
             public.holding_of(t.seen, f.holders) AS holding_of
            FROM (( SELECT DISTINCT public.counted_holders(u.study_uid) AS holders
                    FROM ( SELECT DISTINCT study.study_uid
                            FROM public.study
                           WHERE study.shared) u) f
              CROSS JOIN LATERAL public.subsets(f.holders) t(seen)) ON CONFLICT DO NOTHING;
 INSERT INTO public.study_fact (study_uid, holding_id, shared, apart, mixed, person, study_date, patient_birth_date, patient_sex, study_description, modalities, body_parts, manufacturers, series_descriptions, sop_classes, number_of_series, number_of_instances, series_groups, instance_groups, series_rows, instance_rows)  SELECT fact_now.study_uid,
             fact_now.holding_id,
             fact_now.shared,
             fact_now.apart,
             fact_now.mixed,
             fact_now.person,
             fact_now.study_date,
             fact_now.patient_birth_date,
             fact_now.patient_sex,
             fact_now.study_description,
             fact_now.modalities,
             fact_now.body_parts,
             fact_now.manufacturers,
             fact_now.series_descriptions,
             fact_now.sop_classes,
             fact_now.number_of_series,
             fact_now.number_of_instances,
             fact_now.series_groups,
             fact_now.instance_groups,
             fact_now.series_rows,
             fact_now.instance_rows
            FROM public.fact_now;
 INSERT INTO public.rollup_cell (holding_id, kind, cell, study_date, patient_birth_date, patient_sex, age_band, study_description, series_description, modalities, body_parts, manufacturers, sop_classes, held, mixed, nodes, number_of_series, number_of_instances, series_rows, instance_rows)  SELECT f.holding_id,
             c.kind,
             (md5((jsonb_build_array(c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes, c.held, c.mixed))::text))::uuid AS md5,
             c.study_date,
             c.patient_birth_date,
             c.patient_sex,
             c.age_band,
             c.study_description,
             c.series_description,
             c.modalities,
             c.body_parts,
             c.manufacturers,
             c.sop_classes,
             c.held,
             c.mixed,
             sum(c.nodes) AS sum,
             sum(c.number_of_series) AS sum,
             sum(c.number_of_instances) AS sum,
             sum(c.series_rows) AS sum,
             sum(c.instance_rows) AS sum
            FROM (public.study_fact f
              CROSS JOIN LATERAL public.cells_of(f.*) c(kind, study_date, patient_birth_date, patient_sex, age_band, study_description, series_description, modalities, body_parts, manufacturers, sop_classes, held, mixed, nodes, number_of_series, number_of_instances, series_rows, instance_rows))
           WHERE (NOT f.apart)
           GROUP BY f.holding_id, c.kind, c.study_date, c.patient_birth_date, c.patient_sex, c.age_band, c.study_description, c.series_description, c.modalities, c.body_parts, c.manufacturers, c.sop_classes, c.held, c.mixed;
 INSERT INTO public.rollup_person (person, holding_id, studies)  SELECT study_fact.person,
             study_fact.holding_id,
             count(*) AS count
            FROM public.study_fact
           WHERE (NOT study_fact.apart)
           GROUP BY study_fact.person, study_fact.holding_id;
 INSERT INTO public.rollup_person_set (holdings, persons)  SELECT p.holdings,
             count(*) AS count
            FROM ( SELECT array_agg(rollup_person.holding_id ORDER BY rollup_person.holding_id) AS holdings
                    FROM public.rollup_person
                   GROUP BY rollup_person.person) p
           GROUP BY p.holdings;
END;

CREATE FUNCTION public.fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(lower((public.unaccent('public.unaccent'::regdictionary, NORMALIZE(value, NFKC)) COLLATE pg_c_utf8)), 'ς'::text, 'σ'::text);

CREATE FUNCTION public.hold_archives() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into rollup_holding (seen, elsewhere) select array[archive_id], '{}' from come
    on conflict do nothing;
    return null;
end
$$;

CREATE FUNCTION public.numeric_value(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (value ~ '^\s*[+-]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][+-]?\d{1,3})?\s*$'::text) THEN (value)::numeric ELSE NULL::numeric END;

CREATE FUNCTION public.integer_value(value text) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN ((public.numeric_value(value) = trunc(public.numeric_value(value))) AND (abs(public.numeric_value(value)) < ('2147483648'::bigint)::numeric)) THEN (public.numeric_value(value))::integer ELSE NULL::integer END;

CREATE FUNCTION public.like_literal(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(replace(public.fold(value), '\'::text, '\\'::text), '%'::text, '\%'::text), '_'::text, '\_'::text);

CREATE FUNCTION public.like_wildcard(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(public.like_literal(value), '*'::text, '%'::text), '?'::text, '_'::text);

CREATE FUNCTION public.moment_seconds(vr text, value text) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
declare
    part text[];
    leap boolean;
    day bigint := 0;
    clock text[];
begin
    if vr = 'AS' then
        part := regexp_match(upper(value), '^([0-9]{1,3})([DWMY])$');
        return part[1]::numeric * 86400
            * case part[2] when 'D' then 1 when 'W' then 7 when 'M' then 30.4375 when 'Y' then 365.25 end;
    end if;
    if vr = 'TM' then
        clock := regexp_match(value, '^([0-9]{2}):?(?:([0-9]{2}):?(?:([0-9]{2})(\.[0-9]{1,6})?)?)?$');
    else
        part := case vr
            when 'DA' then regexp_match(value, '^([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})$')
            else regexp_match(value,
                '^([0-9]{4})()(?:([0-9]{2})(?:([0-9]{2})([0-9.]*))?)?([-+][0-9]{4})?$') end;
        leap := part[1]::integer % 4 = 0 and (part[1]::integer % 100 <> 0 or part[1]::integer % 400 = 0);
        if part is null or part[1] = '0000' or coalesce(part[3], '01') not between '01' and '12'
            or coalesce(part[4]::integer, 1) not between 1 and
                (array[31, case when leap then 29 else 28 end, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
                    [coalesce(part[3]::integer, 1)] then
            return null;
        end if;
        day := (make_date(part[1]::integer, coalesce(part[3]::integer, 1), coalesce(part[4]::integer, 1))
            - date '1970-01-01')::bigint;
        clock := regexp_match(coalesce(nullif(part[5], ''), '00'),
            '^([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(\.[0-9]{1,6})?)?)?$');
        day := day * 86400 - case
            when part[6] is null then 0
            else (left(part[6], 1) || '1')::integer
                * (substr(part[6], 2, 2)::integer * 3600 + right(part[6], 2)::integer * 60) end;
    end if;
    if clock is null or clock[1] > '23' or clock[2] > '59' or clock[3] > '60' then
        return null;
    end if;
    -- a leap second is legal in TM and DT, and unknown to clocks
    return day + clock[1]::integer * 3600 + coalesce(clock[2]::integer, 0) * 60
        + least(coalesce(clock[3]::integer, 0), 59) + coalesce(clock[4]::numeric, 0);
end $_$;

CREATE FUNCTION public.moment_value(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(value, '.:- T'::text, ''::text);

CREATE FUNCTION public.name_groups(value text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (string_to_array(value, '='::text) || value);

CREATE FUNCTION public.name_is_read(keys tsvector) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE COST 200 PARALLEL SAFE
    AS $$begin return true; end$$;

CREATE FUNCTION public.name_likeness(forms text, plain text, sound text) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST(((public.similarity(plain, split_part(forms, '='::text, 1)) + public.similarity(sound, split_part(forms, '='::text, 2))))::double precision, ((2)::double precision * public.similarity(plain, split_part(forms, '='::text, 3))), ((2)::double precision * public.similarity(plain, split_part(forms, '='::text, 4))));

CREATE FUNCTION public.path_moments(data jsonb, path text[], vr text) RETURNS nummultirange
    LANGUAGE plpgsql IMMUTABLE COST 400 PARALLEL SAFE
    AS $$
declare
    texts text[] := public.path_texts(data, path);
    seconds numeric;
    moments nummultirange := '{}';
    value text;
begin
    foreach value in array texts loop
        seconds := public.moment_seconds(vr, value);
        if seconds is not null then
            moments := moments + nummultirange(numrange(seconds, seconds, '[]'));
        end if;
    end loop;
    return moments;
end $$;

CREATE FUNCTION public.path_number(value text) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN ((length(value) <= 800) AND (value ~ '^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$'::text)) THEN (value)::numeric ELSE NULL::numeric END;

CREATE FUNCTION public.path_numbers(data jsonb, path text[]) RETURNS nummultirange
    LANGUAGE plpgsql IMMUTABLE COST 300 PARALLEL SAFE
    AS $$
declare
    texts text[] := public.path_texts(data, path);
    number numeric;
    numbers nummultirange := '{}';
    value text;
begin
    foreach value in array texts loop
        number := public.path_number(value);
        if number is not null then
            numbers := numbers + nummultirange(numrange(number, number, '[]'));
        end if;
    end loop;
    return numbers;
end $$;

CREATE FUNCTION public.path_texts(data jsonb, path text[]) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE COST 300 PARALLEL SAFE
    AS $_$
declare
    first text := path[1];
    items jsonb[];
    step text;
    one text;
    creator text;
    family text;
begin
    if data is null or data = '{}' then
        return '{}';
    end if;
    if left(first, 1) <> '(' then
        items[1] := data -> first -> 'Value';
        if items[1] is null then
            return '{}';
        end if;
        if cardinality(path) = 1 and jsonb_typeof(items[1]) = 'array' and not items[1] @? '$[*] ? (@.type() == "object")' then
            if items[1] -> 1 is null then -- as nearly all are: one value
                one := btrim(items[1] ->> 0, E' \t\n\r\f\v');
                return case when one <> '' then array[one] else '{}' end;
            end if;
            return array(
                select t.value from jsonb_array_elements_text(items[1]) v (raw), btrim(v.raw, E' \t\n\r\f\v') t (value)
                where t.value <> '');
        end if;
    end if;
    items := array[data];
    foreach step in array path loop
        if left(step, 1) = '(' then
            -- wherever its creator reserved a block (PS3.5 7.8.1)
            creator := split_part(substr(step, 2), ')', 1);
            family := left(split_part(step, ')', 2), 4);
            items := array(
                select v.value
                from unnest(items) i (item),
                    jsonb_object_keys(case jsonb_typeof(i.item) when 'object' then i.item else '{}' end) k (block),
                    jsonb_array_elements(case
                        when jsonb_typeof(i.item -> (family || substr(k.block, 7, 2) || right(step, 2)) -> 'Value') = 'array'
                            then i.item -> (family || substr(k.block, 7, 2) || right(step, 2)) -> 'Value'
                        else '[]' end) v (value)
                where k.block like family || '00__' and k.block >= family || '0010'
                    and jsonb_typeof(i.item -> k.block) = 'object' and btrim(i.item -> k.block -> 'Value' ->> 0) = creator);
        else
            items := array(
                select v.value
                from unnest(items) i (item),
                    jsonb_array_elements(case
                        when jsonb_typeof(i.item -> step -> 'Value') = 'array' then i.item -> step -> 'Value'
                        else '[]' end) v (value));
        end if;
        if items = '{}' then
            return '{}';
        end if;
    end loop;
    return array(
        select t.value
        from unnest(items) i (item),
            -- of a PN each group
            jsonb_each_text(case jsonb_typeof(i.item) when 'object' then i.item else jsonb_build_object('', i.item) end) v,
            btrim(v.value, E' \t\n\r\f\v') t (value)
        where t.value <> '');
end $_$;

CREATE FUNCTION public.path_words(data jsonb, path text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE COST 400 PARALLEL SAFE
    AS $$
declare
    texts text[] := public.path_texts(data, path);
begin
    if texts = '{}' then
        return '';
    end if;
    return E'\x1f' || public.fold(array_to_string(array(select translate(v, E'\x1f', ' ') from unnest(texts) v), E'\x1f'))
        || E'\x1f';
end $$;

CREATE FUNCTION public.private_values(item jsonb, creator text, group_number text, element text) RETURNS SETOF jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT v.value
    FROM jsonb_each(
         CASE jsonb_typeof(private_values.item)
             WHEN 'object'::text THEN private_values.item
             ELSE '{}'::jsonb
         END) block(key, value),
     LATERAL public.element_values(private_values.item, ((private_values.group_number || substr(block.key, 7, 2)) || private_values.element)) v(value)
   WHERE ((block.key ~~ (private_values.group_number || '00__'::text)) AND (block.key >= (private_values.group_number || '0010'::text)) AND (jsonb_typeof(block.value) = 'object'::text) AND (btrim(((block.value -> 'Value'::text) ->> 0)) = private_values.creator));
END;

CREATE FUNCTION public.words(VARIADIC texts text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('simple'::regconfig, translate(public.fold(array_to_string(texts, ' '::text)), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~'::text, repeat(' '::text, 32)));

CREATE FUNCTION public.words_of_each(texts text[]) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ts_delete(public.words(VARIADIC ARRAY[('ǀ '::text || "left"(array_to_string(texts, ' ǀ '::text), 100000))]), 'ǀ'::text);

CREATE FUNCTION public.study_facts(archive smallint, uid text, data jsonb, description text, series_known boolean) RETURNS TABLE(modalities text[], number_of_series integer, number_of_instances integer, search tsvector)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(( SELECT array_agg(DISTINCT (both_say.m COLLATE "C") ORDER BY (both_say.m COLLATE "C")) AS array_agg
            FROM ( SELECT btrim((v.value #>> '{}'::text[]), ' 	

'::text) AS btrim
                    FROM public.element_values(study_facts.data, '00080061'::text) v(value)
                   WHERE (jsonb_typeof(v.value) = 'string'::text)
                 UNION
                  SELECT unnest(g.modalities) AS unnest) both_say(m)
           WHERE (both_say.m <> ''::text)), '{}'::text[]) AS "coalesce",
         CASE
             WHEN study_facts.series_known THEN g.series
             ELSE COALESCE(told.series, NULLIF(g.series, 0))
         END AS "coalesce",
         CASE
             WHEN (NOT study_facts.series_known) THEN COALESCE(told.instances, g.instances)
             WHEN (g.series = 0) THEN 0
             ELSE COALESCE(g.instances, told.instances)
         END AS "coalesce",
     (setweight(public.words(VARIADIC ARRAY[study_facts.description]), 'A'::"char") || setweight(public.words_of_each(g.texts), 'B'::"char"))
    FROM (( SELECT (count(*))::integer AS series,
                 CASE
                     WHEN bool_and((s.number_of_instances IS NOT NULL)) THEN public.count_value((sum(s.number_of_instances))::numeric)
                     ELSE NULL::integer
                 END AS instances,
             array_agg(DISTINCT s.modality) FILTER (WHERE (s.modality IS NOT NULL)) AS modalities,
             ((array_agg(DISTINCT s.series_description) || array_agg(DISTINCT s.body_part_examined)) || array_agg(DISTINCT s.protocol_name)) AS texts
            FROM public.series s
           WHERE ((s.study_uid = study_facts.uid) AND (s.archive_id = study_facts.archive))) g
      CROSS JOIN ( SELECT public.count_value((public.integer_value((study_facts.data #>> '{00201206,Value,0}'::text[])))::numeric) AS series,
             public.count_value((public.integer_value((study_facts.data #>> '{00201208,Value,0}'::text[])))::numeric) AS instances) told);
END;

CREATE FUNCTION public.study_outline(modalities text[], series integer, instances integer) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (md5(((((array_to_string(modalities, '\'::text, ''::text) || '/'::text) || COALESCE(series, '-1'::integer)) || '/'::text) || COALESCE(instances, '-1'::integer))))::uuid;

CREATE FUNCTION public.study_values(uid text, archive smallint, shared boolean) RETURNS TABLE(archive_id smallint, name public.series_value, value text)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT s.archive_id,
     v.name,
     v.value
    FROM (( SELECT s_1.series_pk,
             s_1.archive_id,
             s_1.study_uid,
             s_1.series_uid,
             s_1.modality,
             s_1.series_number,
             s_1.series_date,
             s_1.series_time,
             s_1.series_description,
             s_1.body_part_examined,
             s_1.laterality,
             s_1.protocol_name,
             s_1.manufacturer,
             s_1.manufacturer_model_name,
             s_1.number_of_instances,
             s_1.shared,
             s_1.data,
             s_1.synced_at,
             s_1.instances_synced_at,
             s_1.representative,
             s_1.representative_synced_at,
             s_1.data_sets_synced_at,
             s_1.data_sets_tried_at,
             s_1.body_part_code,
             s_1.modality_code,
             s_1.laterality_code
            FROM public.series s_1
           WHERE ((s_1.study_uid = study_values.uid) AND (study_values.shared OR (s_1.archive_id = study_values.archive)))
          OFFSET 0) s
      CROSS JOIN LATERAL ( VALUES ('modality'::public.series_value,s.modality), ('series_description'::public.series_value,s.series_description), ('body_part_examined'::public.series_value,s.body_part_examined), ('protocol_name'::public.series_value,s.protocol_name), ('manufacturer'::public.series_value,s.manufacturer), ('manufacturer_model_name'::public.series_value,s.manufacturer_model_name), ('laterality'::public.series_value,s.laterality), ('series_month'::public.series_value,to_char((s.series_date)::timestamp with time zone, 'YYYY-MM'::text)), ('instances_bits'::public.series_value,(length(ltrim(((s.number_of_instances)::bit(32))::text, '0'::text)))::text)) v(name, value))
   WHERE (v.value IS NOT NULL)
 UNION
  SELECT s.archive_id,
     v.name,
     v.value
    FROM (( SELECT s_1.archive_id,
             s_1.modalities,
             s_1.study_description
            FROM public.study s_1
           WHERE ((s_1.study_uid = study_values.uid) AND (study_values.shared OR (s_1.archive_id = study_values.archive)))
          OFFSET 0) s
      CROSS JOIN LATERAL ( SELECT 'modality'::public.series_value AS series_value,
             modality.modality
            FROM unnest(s.modalities) modality(modality)
         UNION ALL
          SELECT 'study_description'::public.series_value,
             s.study_description
           WHERE (s.study_description IS NOT NULL)) v(name, value));
END;

CREATE FUNCTION public.study_version_of(archive smallint, uid text) RETURNS bigint
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (((public.consent_version(archive, uid) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(study.patient_key, study.synced_at, study.modalities, study.number_of_series, study.number_of_instances), (1)::bigint)) AS bit_xor
            FROM public.study
           WHERE ((study.study_uid = study_version_of.uid) AND (study.archive_id = study_version_of.archive))), (0)::bigint)) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(series.series_uid, series.synced_at, series.number_of_instances), (2)::bigint)) AS bit_xor
            FROM public.series
           WHERE ((series.study_uid = study_version_of.uid) AND (series.archive_id = study_version_of.archive))), (0)::bigint)) # COALESCE(( SELECT bit_xor(hash_record_extended(ROW(instance.sop_uid, instance.series_uid, instance.synced_at), (3)::bigint)) AS bit_xor
            FROM public.instance
           WHERE ((instance.study_uid = study_version_of.uid) AND (instance.archive_id = study_version_of.archive))), (0)::bigint));
END;

CREATE FUNCTION public.study_whole(data jsonb, modalities text[], series integer, instances integer) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (md5((((((((data - '{00080005,00080054,00080056,00080061,00080201,00081190,00201200,00201202,00201204,00201206,00201208}'::text[]))::text || array_to_string(modalities, '\'::text, ''::text)) || '/'::text) || COALESCE(series, '-1'::integer)) || '/'::text) || COALESCE(instances, '-1'::integer))))::uuid;

CREATE FUNCTION public.take_values() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    update study_value_count c set studies = c.studies - gone.studies
    from (select archive_id, name, value, count(*) as studies from changed group by 1, 2, 3) gone
    where (c.name, c.value, c.archive_id) = (gone.name, gone.value, gone.archive_id);
    delete from study_value_count c using changed gone
    where (c.name, c.value, c.archive_id) = (gone.name, gone.value, gone.archive_id) and c.studies <= 0;
    return null;
end $$;

CREATE FUNCTION public.value_texts(value jsonb) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (value_texts.value #>> '{}'::text[])
   WHERE (jsonb_typeof(value_texts.value) <> 'object'::text)
 UNION ALL
  SELECT g.value
    FROM jsonb_each_text(
         CASE jsonb_typeof(value_texts.value)
             WHEN 'object'::text THEN value_texts.value
             ELSE '{}'::jsonb
         END) g(key, value);
END;

CREATE FUNCTION public.vocabulary_key(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace((public.fold(value) COLLATE pg_c_utf8), '[^[:alnum:]]+'::text, ''::text, 'g'::text);

CREATE VIEW records.series AS
 SELECT series_pk,
    archive_id,
    study_uid,
    series_uid,
    modality,
    series_number,
    series_date,
    series_time,
    series_description,
    body_part_examined,
    laterality,
    protocol_name,
    manufacturer,
    manufacturer_model_name,
    number_of_instances,
    shared,
    data,
    synced_at,
    instances_synced_at,
    representative,
    representative_synced_at,
    data_sets_synced_at,
    data_sets_tried_at,
    body_part_code,
    modality_code,
    laterality_code
   FROM public.series s
  WHERE (array_position(( SELECT public.scope_of('full'::text) AS scope_of), archive_id) IS NOT NULL);

CREATE FUNCTION records.series_union_instances(study text, uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT max(series.number_of_instances) AS max
    FROM records.series
   WHERE ((series.study_uid = series_union_instances.study) AND (series.series_uid = series_union_instances.uid) AND (series.archive_id = ANY (series_union_instances.archives)));
END;

CREATE FUNCTION records.studies_named(column_name text, sounds tsquery, slips tsquery, wholes tsquery, most integer) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER COST 20000 ROWS 500 PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET max_parallel_workers_per_gather TO '0'
    AS $$
declare
    mine smallint[] := scope_of('full');
begin
    if column_name = 'patient_name' then
        return query select s.study_pk from study s
            where (s.patient_name_keys @@ sounds or s.patient_name_keys @@ slips or s.patient_name_keys @@ wholes)
                and s.archive_id = any (mine) and name_is_read(s.patient_name_keys)
            limit most;
    else
        return query select s.study_pk from study s
            where (s.referring_physician_name_keys @@ sounds or s.referring_physician_name_keys @@ slips
                    or s.referring_physician_name_keys @@ wholes)
                and s.archive_id = any (mine) and name_is_read(s.referring_physician_name_keys)
            limit most;
    end if;
end
$$;

CREATE VIEW records.study AS
 SELECT study_pk,
    archive_id,
    study_uid,
    study_date,
    study_time,
    accession_number,
    study_id,
    study_description,
    referring_physician_name,
    patient_id,
    issuer_of_patient_id,
    patient_name,
    patient_birth_date,
    patient_sex,
    modalities,
    number_of_series,
    number_of_instances,
    shared,
    search,
    data,
    synced_at,
    series_synced_at,
    patient_key,
    patient_name_keys,
    patient_name_forms,
    referring_physician_name_keys,
    referring_physician_name_forms
   FROM public.study s
  WHERE (array_position(( SELECT public.scope_of('full'::text) AS scope_of), archive_id) IS NOT NULL);

CREATE FUNCTION records.study_union_instances(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT public.count_value((GREATEST(( SELECT sum(largest.n) AS sum
            FROM ( SELECT max(series.number_of_instances) AS n
                    FROM records.series
                   WHERE ((series.study_uid = study_union_instances.uid) AND (series.archive_id = ANY (study_union_instances.archives)))
                   GROUP BY series.series_uid) largest), (( SELECT max(study.number_of_instances) AS max
            FROM records.study
           WHERE ((study.study_uid = study_union_instances.uid) AND (study.archive_id = ANY (study_union_instances.archives)))))::bigint))::numeric) AS count_value;
END;

CREATE FUNCTION records.study_union_modalities(uid text, archives smallint[]) RETURNS text[]
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(DISTINCT modality.modality ORDER BY modality.modality), '{}'::text[]) AS "coalesce"
    FROM records.study,
     LATERAL unnest(study.modalities) modality(modality)
   WHERE ((study.study_uid = study_union_modalities.uid) AND (study.archive_id = ANY (study_union_modalities.archives)));
END;

CREATE FUNCTION records.study_union_series(uid text, archives smallint[]) RETURNS integer
    LANGUAGE sql STABLE STRICT COST 10000 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (GREATEST(( SELECT count(DISTINCT series.series_uid) AS count
            FROM records.series
           WHERE ((series.study_uid = study_union_series.uid) AND (series.archive_id = ANY (study_union_series.archives)))), (( SELECT max(study.number_of_series) AS max
            FROM records.study
           WHERE ((study.study_uid = study_union_series.uid) AND (study.archive_id = ANY (study_union_series.archives)))))::bigint))::integer AS "greatest";
END;

CREATE TABLE public.cohort_study (
    version_id uuid NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    of_records boolean NOT NULL,
    of_pseudonyms boolean NOT NULL,
    whole uuid NOT NULL,
    outline uuid NOT NULL
);

CREATE VIEW records.cohort_study AS
 SELECT version_id,
    archive_id,
    study_uid,
    whole AS state
   FROM public.cohort_study k
  WHERE (of_records AND (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[])));

CREATE VIEW counts.cohort_study AS
 SELECT version_id,
    archive_id,
    study_uid,
    state
   FROM records.cohort_study;

CREATE VIEW counts.consent AS
 SELECT archive_id,
    study_uid,
    care,
    registry,
    research
   FROM public.consent
  WHERE ((archive_id = ANY (( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text)))::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE VIEW counts.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at
   FROM public.instance s
  WHERE ((array_position(( SELECT ((public.scope_of('full'::text) || public.scope_of('pseudonymised'::text)) || public.scope_of('counted'::text))), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR (EXISTS ( SELECT
           FROM public.consent c
          WHERE ((c.archive_id = s.archive_id) AND (c.study_uid = s.study_uid) AND c.research)))));

CREATE TABLE public.rejected_record (
    rejected_id bigint NOT NULL,
    archive_id smallint NOT NULL,
    level text NOT NULL,
    uid text,
    reason text NOT NULL,
    data jsonb NOT NULL,
    lost boolean DEFAULT true NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    fingerprint text GENERATED ALWAYS AS (md5((data)::text)) STORED
);

CREATE VIEW public.rejected_study AS
 SELECT archive_id,
    (count(*))::integer AS studies
   FROM public.rejected_record
  WHERE (lost AND (level = 'study'::text))
  GROUP BY archive_id;

CREATE VIEW counts.rejected_study AS
 SELECT archive_id,
    studies
   FROM public.rejected_study
  WHERE ((array_position(( SELECT (public.scope_of('full'::text) || public.scope_of('pseudonymised'::text))), archive_id) IS NOT NULL) AND (archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])));

CREATE VIEW public.rollup_apart AS
 SELECT f.study_uid,
    h.seen[1] AS archive_id
   FROM (public.study_fact f
     JOIN public.rollup_holding h USING (holding_id))
  WHERE (f.shared AND f.apart);

CREATE VIEW counts.rollup_apart AS
 SELECT study_uid,
    archive_id
   FROM public.rollup_apart
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW public.rollup_archive AS
 SELECT h.seen[1] AS archive_id,
    (sum(c.nodes))::bigint AS studies,
    (sum(c.series_rows))::bigint AS series_rows,
    (sum(c.instance_rows))::bigint AS instance_rows
   FROM (public.rollup_cell c
     JOIN public.rollup_holding h USING (holding_id))
  WHERE ((c.kind = 0) AND (cardinality(h.seen) = 1))
  GROUP BY h.seen[1];

CREATE VIEW counts.rollup_archive AS
 SELECT archive_id,
    studies,
    series_rows,
    instance_rows
   FROM public.rollup_archive
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW counts.rollup_cell AS
 SELECT holding_id,
    kind,
    cell,
    study_date,
    patient_birth_date,
    patient_sex,
    age_band,
    study_description,
    series_description,
    modalities,
    body_parts,
    manufacturers,
    sop_classes,
    held,
    mixed,
    nodes,
    number_of_series,
    number_of_instances,
    series_rows,
    instance_rows
   FROM public.rollup_cell
  WHERE (holding_id IN ( SELECT rollup_holding.holding_id
           FROM public.rollup_holding
          WHERE (rollup_holding.seen <@ ( SELECT public.scope_of('full'::text) AS scope_of))));

CREATE VIEW counts.rollup_family AS
 SELECT study_uid,
    holding_id,
    apart,
    mixed
   FROM public.study_fact
  WHERE (shared AND (holding_id IN ( SELECT rollup_holding.holding_id
           FROM public.rollup_holding
          WHERE (rollup_holding.seen <@ ( SELECT public.scope_of('full'::text) AS scope_of)))));

CREATE VIEW counts.rollup_holding AS
 SELECT holding_id,
    seen,
    ARRAY( SELECT id.id
           FROM unnest(rollup_holding.elsewhere) id(id)
          WHERE (id.id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]))) AS elsewhere
   FROM public.rollup_holding
  WHERE (seen <@ ( SELECT public.scope_of('full'::text) AS scope_of));

CREATE VIEW counts.rollup_person AS
 SELECT person,
    holding_id
   FROM public.rollup_person
  WHERE (holding_id IN ( SELECT rollup_holding.holding_id
           FROM public.rollup_holding
          WHERE (rollup_holding.seen <@ ( SELECT public.scope_of('full'::text) AS scope_of))));

CREATE VIEW counts.rollup_person_set AS
 SELECT s.set_id,
    h.holding_id,
    s.persons
   FROM ((public.rollup_person_set s
     CROSS JOIN LATERAL unnest(s.holdings) u(holding_id))
     JOIN public.rollup_holding h ON ((h.holding_id = u.holding_id)))
  WHERE (h.seen <@ ( SELECT public.scope_of('full'::text) AS scope_of));

CREATE TABLE jobs.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE jobs.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_id_seq OWNED BY jobs.pgqueuer.id;

CREATE TABLE jobs.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE jobs.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME jobs.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE jobs.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status jobs.pgqueuer_status DEFAULT 'queued'::jobs.pgqueuer_status
);

CREATE SEQUENCE jobs.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_schedules_id_seq OWNED BY jobs.pgqueuer_schedules.id;

CREATE TABLE jobs.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status jobs.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE jobs.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE jobs.pgqueuer_statistics_id_seq OWNED BY jobs.pgqueuer_statistics.id;

ALTER TABLE pseudonymised.instance ALTER COLUMN instance_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.instance_instance_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE pseudonymised.series ALTER COLUMN series_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.series_series_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pseudonymised.study_event (
    sequence bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    research boolean NOT NULL,
    CONSTRAINT study_event_kind_check CHECK ((kind = ANY (ARRAY['added'::text, 'updated'::text, 'removed'::text])))
);

ALTER TABLE pseudonymised.study_event ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.study_event_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE pseudonymised.study ALTER COLUMN study_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pseudonymised.study_study_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pseudonymised.study_value (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    name public.series_value NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    shared boolean NOT NULL
);

CREATE TABLE pseudonymised.study_version (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    archive_id smallint NOT NULL,
    source_uid text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    research boolean NOT NULL
);

CREATE TABLE pseudonymised.waiting (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    since timestamp with time zone DEFAULT now() NOT NULL,
    rotating boolean DEFAULT false NOT NULL
);

CREATE VIEW pseudonyms.cohort_study AS
 SELECT k.version_id,
    p.archive_id,
    p.study_uid,
    k.outline AS state
   FROM ((public.cohort_study k
     JOIN public.study s ON (((s.archive_id = k.archive_id) AND (s.study_uid = k.study_uid))))
     JOIN pseudonymised.study p ON ((p.source_pk = s.study_pk)))
  WHERE (k.of_pseudonyms AND (p.archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((p.archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR p.research));

CREATE VIEW pseudonyms.consent AS
 SELECT p.archive_id,
    p.study_uid,
    c.care,
    c.registry,
    c.research
   FROM ((public.consent c
     JOIN public.study s ON (((s.archive_id = c.archive_id) AND (s.study_uid = c.study_uid))))
     JOIN pseudonymised.study p ON ((p.source_pk = s.study_pk)))
  WHERE ((c.archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((c.archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR c.research));

CREATE VIEW pseudonyms.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at,
    source_pk,
    key_id,
    research,
    made_for
   FROM pseudonymised.instance s
  WHERE ((array_position(( SELECT public.scope_of('pseudonymised'::text) AS scope_of), archive_id) IS NOT NULL) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE VIEW pseudonyms.study_by_value AS
 SELECT v.name,
    v.value,
    v.study_date,
    v.study_uid,
    v.shared,
    s.study_pk,
    s.archive_id,
    s.study_time,
    s.accession_number,
    s.study_id,
    s.study_description,
    s.referring_physician_name,
    s.patient_id,
    s.issuer_of_patient_id,
    s.patient_name,
    s.patient_birth_date,
    s.patient_sex,
    s.modalities,
    s.number_of_series,
    s.number_of_instances,
    s.search,
    s.data,
    s.synced_at,
    s.series_synced_at,
    s.patient_key,
    s.source_pk,
    s.key_id,
    s.research,
    s.made_for,
    s.patient_name_keys,
    s.patient_name_forms,
    s.referring_physician_name_keys,
    s.referring_physician_name_forms
   FROM (pseudonymised.study_value v
     JOIN pseudonyms.study s ON ((s.study_pk = v.study_pk)))
  WHERE (array_position(( SELECT public.scope_of('pseudonymised'::text) AS scope_of), v.archive_id) IS NOT NULL);

CREATE VIEW pseudonyms.study_event AS
 SELECT sequence,
    at,
    archive_id,
    study_uid,
    kind
   FROM pseudonymised.study_event
  WHERE ((archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR research));

CREATE VIEW pseudonyms.study_state AS
 SELECT p.archive_id,
    p.study_uid,
    public.study_outline(s.modalities, s.number_of_series, s.number_of_instances) AS state
   FROM (public.study s
     JOIN pseudonymised.study p ON ((p.source_pk = s.study_pk)))
  WHERE ((p.archive_id = ANY (( SELECT public.scope_of('pseudonymised'::text) AS scope_of)::smallint[])) AND ((p.archive_id <> ALL (( SELECT public.scope_of('consented'::text) AS scope_of)::smallint[])) OR p.research));

ALTER TABLE public.archive ALTER COLUMN archive_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.archive_archive_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.archive_definition (
    archive_id smallint NOT NULL,
    origin text NOT NULL,
    definition jsonb NOT NULL,
    disabled boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text,
    CONSTRAINT archive_definition_origin_check CHECK ((origin = ANY (ARRAY['file'::text, 'api'::text])))
);

CREATE VIEW public.archive_job AS
 SELECT (headers ->> 'archive'::text) AS code,
    entrypoint AS kind,
    (status = 'picked'::jobs.pgqueuer_status) AS running,
    created AS queued_at,
    execute_after AS due_at,
        CASE
            WHEN (status = 'picked'::jobs.pgqueuer_status) THEN updated
            ELSE NULL::timestamp with time zone
        END AS started_at
   FROM jobs.pgqueuer job
  WHERE (status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status]));

CREATE TABLE public.archive_schedule (
    archive_id smallint NOT NULL,
    sync_every interval NOT NULL,
    reconcile_every interval NOT NULL,
    next_sync_at timestamp with time zone DEFAULT now() NOT NULL,
    next_reconcile_at timestamp with time zone DEFAULT now() NOT NULL,
    next_probe_at timestamp with time zone DEFAULT (now() + '1 day'::interval) NOT NULL,
    next_data_sets_at timestamp with time zone DEFAULT now() NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    current_as_of timestamp with time zone,
    feed_marks jsonb DEFAULT '{}'::jsonb NOT NULL,
    drift bigint[]
);

CREATE TABLE public.audit_event (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    digest bytea NOT NULL,
    payload text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT audit_event_digest_check CHECK ((length(digest) = 32))
);

CREATE TABLE public.audit_touch (
    key bytea NOT NULL,
    event_id bigint NOT NULL
);

CREATE TABLE public.cohort (
    cohort_id uuid DEFAULT gen_random_uuid() NOT NULL,
    owner text NOT NULL,
    owner_name text,
    name text NOT NULL,
    description text,
    filter jsonb NOT NULL,
    archives text[],
    identifying boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.cohort_archive (
    version_id uuid NOT NULL,
    archive_id smallint NOT NULL,
    projection text NOT NULL,
    as_of timestamp with time zone,
    CONSTRAINT cohort_archive_projection_check CHECK ((projection = ANY (ARRAY['records'::text, 'pseudonyms'::text])))
);

CREATE TABLE public.cohort_share (
    cohort_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    CONSTRAINT cohort_share_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'ern'::text, 'everyone'::text])))
);

CREATE TABLE public.cohort_version (
    version_id uuid DEFAULT gen_random_uuid() NOT NULL,
    cohort_id uuid NOT NULL,
    number integer NOT NULL,
    frozen_at timestamp with time zone DEFAULT now() NOT NULL,
    entries integer NOT NULL
);

CREATE TABLE public.declared_attribute (
    level text NOT NULL,
    path text[] NOT NULL,
    name text NOT NULL,
    declared_at timestamp with time zone DEFAULT now() NOT NULL,
    ready_at timestamp with time zone,
    error text,
    CONSTRAINT declared_attribute_level_check CHECK ((level = ANY (ARRAY['study'::text, 'series'::text, 'instance'::text])))
);

CREATE TABLE public.index_run (
    run_id bigint NOT NULL,
    archive_id smallint NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'running'::text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    touched_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    checkpoint text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    change_cursor bigint,
    done integer DEFAULT 0 NOT NULL,
    total integer,
    rejected integer DEFAULT 0 NOT NULL,
    removed integer DEFAULT 0 NOT NULL,
    error_code text,
    error_message text,
    CONSTRAINT index_run_kind_check CHECK ((kind = ANY (ARRAY['full'::text, 'incremental'::text]))),
    CONSTRAINT index_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'completed'::text, 'failed'::text, 'interrupted'::text])))
);

ALTER TABLE public.index_run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.index_run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.instance ALTER COLUMN instance_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.instance_instance_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.migration (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    digest text
);

CREATE UNLOGGED TABLE public.rate_bucket (
    who bytea NOT NULL,
    tokens double precision NOT NULL,
    at timestamp with time zone NOT NULL
);

ALTER TABLE public.rejected_record ALTER COLUMN rejected_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejected_record_rejected_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.rollup_holding ALTER COLUMN holding_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rollup_holding_holding_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.rollup_person_set ALTER COLUMN set_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rollup_person_set_set_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.secret (
    name text NOT NULL,
    value bytea NOT NULL
);

ALTER TABLE public.series ALTER COLUMN series_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.series_series_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.study_event (
    sequence bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    archive_id smallint NOT NULL,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    CONSTRAINT study_event_kind_check CHECK ((kind = ANY (ARRAY['added'::text, 'updated'::text, 'removed'::text])))
);

ALTER TABLE public.study_event ALTER COLUMN sequence ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.study_event_sequence_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.study ALTER COLUMN study_pk ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.study_study_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.study_value (
    study_pk bigint NOT NULL,
    archive_id smallint NOT NULL,
    name public.series_value NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    study_date date,
    study_uid text NOT NULL COLLATE pg_catalog."C",
    shared boolean NOT NULL
);
ALTER TABLE ONLY public.study_value ALTER COLUMN value SET STATISTICS 1000;

CREATE TABLE public.study_value_count (
    archive_id smallint NOT NULL,
    name public.series_value NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    studies integer NOT NULL
);

CREATE TABLE public.study_version (
    study_uid text NOT NULL COLLATE pg_catalog."C",
    archive_id smallint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE public.suspicious_removal (
    archive_id smallint NOT NULL,
    gone integer NOT NULL,
    total integer NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_gone integer,
    confirmed_by text,
    confirmed_at timestamp with time zone
);

CREATE VIEW records.consent AS
 SELECT archive_id,
    study_uid,
    care,
    registry,
    research
   FROM public.consent
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW records.instance AS
 SELECT instance_pk,
    archive_id,
    study_uid,
    series_uid,
    sop_uid,
    sop_class_uid,
    instance_number,
    rows,
    columns,
    number_of_frames,
    transfer_syntax_uid,
    shared,
    data,
    synced_at,
    metadata_synced_at
   FROM public.instance s
  WHERE (array_position(( SELECT public.scope_of('full'::text) AS scope_of), archive_id) IS NOT NULL);

CREATE VIEW records.study_by_value AS
 SELECT v.name,
    v.value,
    v.study_date,
    v.study_uid,
    v.shared,
    s.study_pk,
    s.archive_id,
    s.study_time,
    s.accession_number,
    s.study_id,
    s.study_description,
    s.referring_physician_name,
    s.patient_id,
    s.issuer_of_patient_id,
    s.patient_name,
    s.patient_birth_date,
    s.patient_sex,
    s.modalities,
    s.number_of_series,
    s.number_of_instances,
    s.search,
    s.data,
    s.synced_at,
    s.series_synced_at,
    s.patient_key,
    s.patient_name_keys,
    s.patient_name_forms,
    s.referring_physician_name_keys,
    s.referring_physician_name_forms
   FROM (public.study_value v
     JOIN records.study s ON ((s.study_pk = v.study_pk)))
  WHERE (array_position(( SELECT public.scope_of('full'::text) AS scope_of), v.archive_id) IS NOT NULL);

CREATE VIEW records.study_event AS
 SELECT sequence,
    at,
    archive_id,
    study_uid,
    kind
   FROM public.study_event
  WHERE (archive_id = ANY (( SELECT public.scope_of('full'::text) AS scope_of)::smallint[]));

CREATE VIEW records.study_state AS
 SELECT archive_id,
    study_uid,
    public.study_whole(data, modalities, number_of_series, number_of_instances) AS state
   FROM records.study;

CREATE VIEW records.study_value_count AS
 SELECT archive_id,
    name,
    value
   FROM public.study_value_count
  WHERE (array_position(( SELECT public.scope_of('full'::text) AS scope_of), archive_id) IS NOT NULL);

ALTER TABLE ONLY jobs.pgqueuer ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('jobs.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY jobs.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY jobs.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY jobs.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (instance_pk);

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_pk);

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.study_event
    ADD CONSTRAINT study_event_pkey PRIMARY KEY (sequence);

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_pkey PRIMARY KEY (study_pk);

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_source_pk_key UNIQUE (source_pk);

ALTER TABLE ONLY pseudonymised.study_version
    ADD CONSTRAINT study_version_pkey PRIMARY KEY (study_uid, archive_id);

ALTER TABLE ONLY pseudonymised.waiting
    ADD CONSTRAINT waiting_pkey PRIMARY KEY (study_uid);

ALTER TABLE ONLY public.archive
    ADD CONSTRAINT archive_code_key UNIQUE (code);

ALTER TABLE ONLY public.archive_definition
    ADD CONSTRAINT archive_definition_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.archive
    ADD CONSTRAINT archive_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.archive_schedule
    ADD CONSTRAINT archive_schedule_pkey PRIMARY KEY (archive_id);

ALTER TABLE ONLY public.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_touch
    ADD CONSTRAINT audit_touch_pkey PRIMARY KEY (key, event_id);

ALTER TABLE ONLY public.cohort_archive
    ADD CONSTRAINT cohort_archive_pkey PRIMARY KEY (version_id, archive_id);

ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT cohort_pkey PRIMARY KEY (cohort_id);

ALTER TABLE ONLY public.cohort_share
    ADD CONSTRAINT cohort_share_pkey PRIMARY KEY (cohort_id, kind, name);

ALTER TABLE ONLY public.cohort_study
    ADD CONSTRAINT cohort_study_pkey PRIMARY KEY (version_id, archive_id, study_uid);

ALTER TABLE ONLY public.cohort_version
    ADD CONSTRAINT cohort_version_cohort_id_number_key UNIQUE (cohort_id, number);

ALTER TABLE ONLY public.cohort_version
    ADD CONSTRAINT cohort_version_pkey PRIMARY KEY (version_id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (archive_id, study_uid);

ALTER TABLE ONLY public.declared_attribute
    ADD CONSTRAINT declared_attribute_pkey PRIMARY KEY (level, path);

ALTER TABLE ONLY public.index_run
    ADD CONSTRAINT index_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_archive_id_sop_uid_series_uid_study_uid_key UNIQUE (archive_id, sop_uid, series_uid, study_uid);

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (instance_pk);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.rate_bucket
    ADD CONSTRAINT rate_bucket_pkey PRIMARY KEY (who);

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_archive_id_level_fingerprint_key UNIQUE (archive_id, level, fingerprint);

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_pkey PRIMARY KEY (rejected_id);

ALTER TABLE ONLY public.rollup_cell
    ADD CONSTRAINT rollup_cell_pkey PRIMARY KEY (kind, holding_id, cell);

ALTER TABLE ONLY public.rollup_holding
    ADD CONSTRAINT rollup_holding_pkey PRIMARY KEY (holding_id);

ALTER TABLE ONLY public.rollup_holding
    ADD CONSTRAINT rollup_holding_seen_elsewhere_key UNIQUE (seen, elsewhere);

ALTER TABLE ONLY public.rollup_person
    ADD CONSTRAINT rollup_person_pkey PRIMARY KEY (person, holding_id);

ALTER TABLE ONLY public.rollup_person_set
    ADD CONSTRAINT rollup_person_set_holdings_key UNIQUE (holdings);

ALTER TABLE ONLY public.rollup_person_set
    ADD CONSTRAINT rollup_person_set_pkey PRIMARY KEY (set_id);

ALTER TABLE ONLY public.secret
    ADD CONSTRAINT secret_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_archive_id_series_uid_study_uid_key UNIQUE (archive_id, series_uid, study_uid);

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (series_pk);

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_archive_id_study_uid_patient_key_key UNIQUE (archive_id, study_uid, patient_key);

ALTER TABLE ONLY public.study_event
    ADD CONSTRAINT study_event_pkey PRIMARY KEY (sequence);

ALTER TABLE ONLY public.study_fact
    ADD CONSTRAINT study_fact_pkey PRIMARY KEY (study_uid, holding_id);

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_pkey PRIMARY KEY (study_pk);

ALTER TABLE ONLY public.study_value_count
    ADD CONSTRAINT study_value_count_pkey PRIMARY KEY (name, value, archive_id);

ALTER TABLE ONLY public.study_version
    ADD CONSTRAINT study_version_pkey PRIMARY KEY (study_uid, archive_id);

ALTER TABLE ONLY public.suspicious_removal
    ADD CONSTRAINT suspicious_removal_pkey PRIMARY KEY (archive_id);

CREATE INDEX pgqueuer_ep_ea_idx ON jobs.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON jobs.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON jobs.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON jobs.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON jobs.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON jobs.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON jobs.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::jobs.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON jobs.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::jobs.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON jobs.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::jobs.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON jobs.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON jobs.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON jobs.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::jobs.pgqueuer_status, 'picked'::jobs.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON jobs.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::jobs.pgqueuer_status);

CREATE INDEX instance_instance_number_sop_uid_idx ON pseudonymised.instance USING btree (instance_number, sop_uid);

CREATE INDEX instance_instance_number_sop_uid_idx1 ON pseudonymised.instance USING btree (instance_number DESC NULLS LAST, sop_uid);

CREATE INDEX instance_instance_number_sop_uid_idx2 ON pseudonymised.instance USING btree (instance_number, sop_uid) WHERE shared;

CREATE INDEX instance_instance_number_sop_uid_idx3 ON pseudonymised.instance USING btree (instance_number DESC NULLS LAST, sop_uid) WHERE shared;

CREATE INDEX instance_searched ON pseudonymised.instance USING btree (archive_id) WHERE (metadata_synced_at IS NULL);

CREATE INDEX instance_sop_class_uid_idx ON pseudonymised.instance USING btree (sop_class_uid);

CREATE INDEX instance_sop_uid_idx ON pseudonymised.instance USING btree (sop_uid) WHERE shared;

CREATE INDEX instance_sop_uid_idx1 ON pseudonymised.instance USING btree (sop_uid);

CREATE INDEX instance_study_uid_series_uid_archive_id_idx ON pseudonymised.instance USING btree (study_uid, series_uid, archive_id);

CREATE INDEX series_archive_id_series_uid_idx ON pseudonymised.series USING btree (archive_id, series_uid) WHERE (instances_synced_at IS NULL);

CREATE INDEX series_body_part_code ON pseudonymised.series USING btree (body_part_code);

CREATE INDEX series_body_part_examined_idx ON pseudonymised.series USING btree (body_part_examined);

CREATE INDEX series_fold_idx ON pseudonymised.series USING gin (public.fold(series_description) public.gin_trgm_ops);

CREATE INDEX series_fold_idx1 ON pseudonymised.series USING gin (public.fold(protocol_name) public.gin_trgm_ops);

CREATE INDEX series_fold_series_uid_idx ON pseudonymised.series USING btree (public.fold(series_description), series_uid);

CREATE INDEX series_fold_series_uid_idx1 ON pseudonymised.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid);

CREATE INDEX series_fold_series_uid_idx2 ON pseudonymised.series USING btree (public.fold(series_description), series_uid) WHERE shared;

CREATE INDEX series_fold_series_uid_idx3 ON pseudonymised.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_laterality_code ON pseudonymised.series USING btree (laterality_code) WHERE (laterality_code IS NOT NULL);

CREATE INDEX series_manufacturer_idx ON pseudonymised.series USING btree (manufacturer);

CREATE INDEX series_manufacturer_model_name_idx ON pseudonymised.series USING btree (manufacturer_model_name);

CREATE INDEX series_modality_code ON pseudonymised.series USING btree (modality_code);

CREATE INDEX series_modality_series_uid_idx ON pseudonymised.series USING btree (modality, series_uid);

CREATE INDEX series_modality_series_uid_idx1 ON pseudonymised.series USING btree (modality DESC NULLS LAST, series_uid);

CREATE INDEX series_modality_series_uid_idx2 ON pseudonymised.series USING btree (modality, series_uid) WHERE shared;

CREATE INDEX series_modality_series_uid_idx3 ON pseudonymised.series USING btree (modality DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_number_of_instances_series_uid_idx ON pseudonymised.series USING btree (number_of_instances, series_uid);

CREATE INDEX series_number_of_instances_series_uid_idx1 ON pseudonymised.series USING btree (number_of_instances DESC NULLS LAST, series_uid);

CREATE INDEX series_series_date_series_uid_idx ON pseudonymised.series USING btree (series_date, series_uid);

CREATE INDEX series_series_date_series_uid_idx1 ON pseudonymised.series USING btree (series_date DESC NULLS LAST, series_uid);

CREATE INDEX series_series_date_series_uid_idx2 ON pseudonymised.series USING btree (series_date, series_uid) WHERE shared;

CREATE INDEX series_series_date_series_uid_idx3 ON pseudonymised.series USING btree (series_date DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_series_number_series_uid_idx ON pseudonymised.series USING btree (series_number, series_uid);

CREATE INDEX series_series_number_series_uid_idx1 ON pseudonymised.series USING btree (series_number DESC NULLS LAST, series_uid);

CREATE INDEX series_series_number_series_uid_idx2 ON pseudonymised.series USING btree (series_number, series_uid) WHERE shared;

CREATE INDEX series_series_number_series_uid_idx3 ON pseudonymised.series USING btree (series_number DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_series_uid_idx ON pseudonymised.series USING btree (series_uid) WHERE shared;

CREATE INDEX series_series_uid_idx1 ON pseudonymised.series USING btree (series_uid);

CREATE INDEX series_study_uid_series_uid_archive_id_idx ON pseudonymised.series USING btree (study_uid, series_uid, archive_id);

CREATE INDEX series_unrepresented ON pseudonymised.series USING btree (archive_id, series_uid) WHERE (representative IS NULL);

CREATE INDEX study_accession_number_study_uid_idx ON pseudonymised.study USING btree (accession_number, study_uid);

CREATE INDEX study_accession_number_study_uid_idx1 ON pseudonymised.study USING btree (accession_number DESC NULLS LAST, study_uid);

CREATE INDEX study_accession_number_study_uid_idx2 ON pseudonymised.study USING btree (accession_number, study_uid) WHERE shared;

CREATE INDEX study_accession_number_study_uid_idx3 ON pseudonymised.study USING btree (accession_number DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_archive_id_study_uid_idx ON pseudonymised.study USING btree (archive_id, study_uid) WHERE (series_synced_at IS NULL);

CREATE INDEX study_event_at ON pseudonymised.study_event USING brin (at);

CREATE INDEX study_event_of_archive ON pseudonymised.study_event USING btree (archive_id, sequence);

CREATE INDEX study_fold_idx ON pseudonymised.study USING gin (public.fold(patient_name) public.gin_trgm_ops);

CREATE INDEX study_fold_idx1 ON pseudonymised.study USING gin (public.fold(referring_physician_name) public.gin_trgm_ops);

CREATE INDEX study_fold_idx2 ON pseudonymised.study USING gin (public.fold(study_description) public.gin_trgm_ops);

CREATE INDEX study_fold_idx3 ON pseudonymised.study USING gin (public.fold(patient_id) public.gin_trgm_ops);

CREATE INDEX study_fold_idx4 ON pseudonymised.study USING gin (public.fold(accession_number) public.gin_trgm_ops);

CREATE INDEX study_fold_idx5 ON pseudonymised.study USING gin (public.fold(study_id) public.gin_trgm_ops);

CREATE INDEX study_fold_study_uid_idx ON pseudonymised.study USING btree (public.fold(patient_name), study_uid);

CREATE INDEX study_fold_study_uid_idx1 ON pseudonymised.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid);

CREATE INDEX study_fold_study_uid_idx2 ON pseudonymised.study USING btree (public.fold(patient_name), study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx3 ON pseudonymised.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx4 ON pseudonymised.study USING btree (public.fold(study_description), study_uid);

CREATE INDEX study_fold_study_uid_idx5 ON pseudonymised.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid);

CREATE INDEX study_fold_study_uid_idx6 ON pseudonymised.study USING btree (public.fold(study_description), study_uid) WHERE shared;

CREATE INDEX study_fold_study_uid_idx7 ON pseudonymised.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_modalities_idx ON pseudonymised.study USING gin (modalities);

CREATE INDEX study_modalities_study_uid_idx ON pseudonymised.study USING btree ((modalities[1]), study_uid);

CREATE INDEX study_modalities_study_uid_idx1 ON pseudonymised.study USING btree ((modalities[1]) DESC NULLS LAST, study_uid);

CREATE INDEX study_name_groups_idx ON pseudonymised.study USING gin (public.name_groups(patient_name));

CREATE INDEX study_name_groups_idx1 ON pseudonymised.study USING gin (public.name_groups(referring_physician_name));

CREATE INDEX study_number_of_instances_study_date_study_uid_idx ON pseudonymised.study USING btree (number_of_instances, study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_number_of_instances_study_uid_idx ON pseudonymised.study USING btree (number_of_instances, study_uid);

CREATE INDEX study_number_of_instances_study_uid_idx1 ON pseudonymised.study USING btree (number_of_instances DESC NULLS LAST, study_uid);

CREATE INDEX study_number_of_series_study_date_study_uid_idx ON pseudonymised.study USING btree (number_of_series, study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_number_of_series_study_uid_idx ON pseudonymised.study USING btree (number_of_series, study_uid);

CREATE INDEX study_number_of_series_study_uid_idx1 ON pseudonymised.study USING btree (number_of_series DESC NULLS LAST, study_uid);

CREATE INDEX study_patient_birth_date_idx ON pseudonymised.study USING btree (patient_birth_date);

CREATE INDEX study_patient_birth_date_study_uid_idx ON pseudonymised.study USING btree (patient_birth_date, study_uid);

CREATE INDEX study_patient_birth_date_study_uid_idx1 ON pseudonymised.study USING btree (patient_birth_date DESC NULLS LAST, study_uid);

CREATE INDEX study_patient_birth_date_study_uid_idx2 ON pseudonymised.study USING btree (patient_birth_date, study_uid) WHERE shared;

CREATE INDEX study_patient_birth_date_study_uid_idx3 ON pseudonymised.study USING btree (patient_birth_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_patient_id_study_uid_idx ON pseudonymised.study USING btree (patient_id, study_uid);

CREATE INDEX study_patient_id_study_uid_idx1 ON pseudonymised.study USING btree (patient_id DESC NULLS LAST, study_uid);

CREATE INDEX study_patient_id_study_uid_idx2 ON pseudonymised.study USING btree (patient_id, study_uid) WHERE shared;

CREATE INDEX study_patient_id_study_uid_idx3 ON pseudonymised.study USING btree (patient_id DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_search_idx ON pseudonymised.study USING gin (search);

CREATE INDEX study_study_date_study_uid_idx ON pseudonymised.study USING btree (study_date, study_uid);

CREATE INDEX study_study_date_study_uid_idx1 ON pseudonymised.study USING btree (study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_study_date_study_uid_idx2 ON pseudonymised.study USING btree (study_date, study_uid) WHERE shared;

CREATE INDEX study_study_date_study_uid_idx3 ON pseudonymised.study USING btree (study_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_study_id_idx ON pseudonymised.study USING btree (study_id);

CREATE INDEX study_study_uid_idx ON pseudonymised.study USING btree (study_uid) WHERE shared;

CREATE INDEX study_study_uid_idx1 ON pseudonymised.study USING btree (study_uid);

CREATE INDEX study_synced_at_study_uid_idx ON pseudonymised.study USING btree (synced_at, study_uid);

CREATE INDEX study_synced_at_study_uid_idx1 ON pseudonymised.study USING btree (synced_at DESC, study_uid);

CREATE INDEX study_synced_at_study_uid_idx2 ON pseudonymised.study USING btree (synced_at, study_uid) WHERE shared;

CREATE INDEX study_synced_at_study_uid_idx3 ON pseudonymised.study USING btree (synced_at DESC, study_uid) WHERE shared;

CREATE UNIQUE INDEX study_value_name_value_study_date_study_uid_study_pk_archiv_idx ON pseudonymised.study_value USING btree (name, value, study_date DESC NULLS LAST, study_uid, study_pk, archive_id) NULLS NOT DISTINCT WHERE shared;

CREATE UNIQUE INDEX study_value_name_value_study_date_study_uid_study_pk_idx ON pseudonymised.study_value USING btree (name, value, study_date DESC NULLS LAST, study_uid, study_pk) NULLS NOT DISTINCT WHERE (NOT shared);

CREATE INDEX study_value_study_pk_idx ON pseudonymised.study_value USING btree (study_pk);

CREATE INDEX study_version_source ON pseudonymised.study_version USING btree (source_uid);

CREATE INDEX audit_event_at ON public.audit_event USING btree (at);

CREATE INDEX audit_touch_event ON public.audit_touch USING btree (event_id);

CREATE INDEX cohort_archive_of ON public.cohort_archive USING btree (archive_id);

CREATE INDEX cohort_owner ON public.cohort USING btree (owner, created_at DESC, cohort_id);

CREATE INDEX cohort_shared_with ON public.cohort_share USING btree (kind, name);

CREATE INDEX cohort_study_of ON public.cohort_study USING btree (archive_id);

CREATE INDEX index_run_newest ON public.index_run USING btree (archive_id, run_id DESC);

CREATE INDEX instance_by_series ON public.instance USING btree (study_uid, series_uid, archive_id);

CREATE INDEX instance_by_uid ON public.instance USING btree (sop_uid);

CREATE INDEX instance_page_number ON public.instance USING btree (instance_number, sop_uid);

CREATE INDEX instance_page_number_desc ON public.instance USING btree (instance_number DESC NULLS LAST, sop_uid);

CREATE INDEX instance_searched ON public.instance USING btree (archive_id) WHERE (metadata_synced_at IS NULL);

CREATE INDEX instance_shared ON public.instance USING btree (sop_uid) WHERE shared;

CREATE INDEX instance_shared_number ON public.instance USING btree (instance_number, sop_uid) WHERE shared;

CREATE INDEX instance_shared_number_desc ON public.instance USING btree (instance_number DESC NULLS LAST, sop_uid) WHERE shared;

CREATE INDEX instance_sop_class ON public.instance USING btree (sop_class_uid);

CREATE INDEX rejected_record_lost ON public.rejected_record USING btree (archive_id, uid) WHERE (lost AND (level = 'study'::text));

CREATE INDEX series_body_part ON public.series USING btree (body_part_examined);

CREATE INDEX series_body_part_code ON public.series USING btree (body_part_code);

CREATE INDEX series_by_study ON public.series USING btree (study_uid, series_uid, archive_id);

CREATE INDEX series_by_uid ON public.series USING btree (series_uid);

CREATE INDEX series_description_like ON public.series USING gin (public.fold(series_description) public.gin_trgm_ops);

CREATE INDEX series_lacking ON public.series USING btree (archive_id, series_pk) WHERE ((representative_synced_at IS NULL) OR (representative_synced_at < synced_at));

CREATE INDEX series_laterality_code ON public.series USING btree (laterality_code) WHERE (laterality_code IS NOT NULL);

CREATE INDEX series_manufacturer ON public.series USING btree (manufacturer);

CREATE INDEX series_modality_code ON public.series USING btree (modality_code);

CREATE INDEX series_model ON public.series USING btree (manufacturer_model_name);

CREATE INDEX series_page_date ON public.series USING btree (series_date, series_uid);

CREATE INDEX series_page_date_desc ON public.series USING btree (series_date DESC NULLS LAST, series_uid);

CREATE INDEX series_page_description ON public.series USING btree (public.fold(series_description), series_uid);
ALTER INDEX public.series_page_description ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX series_page_description_desc ON public.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid);

CREATE INDEX series_page_instances ON public.series USING btree (number_of_instances, series_uid);

CREATE INDEX series_page_instances_desc ON public.series USING btree (number_of_instances DESC NULLS LAST, series_uid);

CREATE INDEX series_page_modality ON public.series USING btree (modality, series_uid);

CREATE INDEX series_page_modality_desc ON public.series USING btree (modality DESC NULLS LAST, series_uid);

CREATE INDEX series_page_number ON public.series USING btree (series_number, series_uid);

CREATE INDEX series_page_number_desc ON public.series USING btree (series_number DESC NULLS LAST, series_uid);

CREATE INDEX series_protocol_like ON public.series USING gin (public.fold(protocol_name) public.gin_trgm_ops);
ALTER INDEX public.series_protocol_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX series_search ON public.series USING gin (public.words(VARIADIC ARRAY[series_description, body_part_examined, protocol_name]));

CREATE INDEX series_shared ON public.series USING btree (series_uid) WHERE shared;

CREATE INDEX series_shared_date ON public.series USING btree (series_date, series_uid) WHERE shared;

CREATE INDEX series_shared_date_desc ON public.series USING btree (series_date DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_description ON public.series USING btree (public.fold(series_description), series_uid) WHERE shared;

CREATE INDEX series_shared_description_desc ON public.series USING btree (public.fold(series_description) DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_modality ON public.series USING btree (modality, series_uid) WHERE shared;

CREATE INDEX series_shared_modality_desc ON public.series USING btree (modality DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_shared_number ON public.series USING btree (series_number, series_uid) WHERE shared;

CREATE INDEX series_shared_number_desc ON public.series USING btree (series_number DESC NULLS LAST, series_uid) WHERE shared;

CREATE INDEX series_unindexed ON public.series USING btree (archive_id, series_uid) WHERE (instances_synced_at IS NULL);

CREATE INDEX series_unrepresented ON public.series USING btree (archive_id, series_uid) WHERE (representative IS NULL);

CREATE INDEX series_without_data_sets ON public.series USING btree (archive_id, data_sets_tried_at NULLS FIRST, series_pk) WHERE ((data_sets_synced_at IS NULL) AND (instances_synced_at IS NOT NULL));

CREATE INDEX study_accession_like ON public.study USING gin (public.fold(accession_number) public.gin_trgm_ops);
ALTER INDEX public.study_accession_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_birth_date ON public.study USING btree (patient_birth_date);

CREATE INDEX study_by_uid ON public.study USING btree (study_uid);

CREATE INDEX study_description_like ON public.study USING gin (public.fold(study_description) public.gin_trgm_ops);

CREATE INDEX study_event_at ON public.study_event USING brin (at);

CREATE INDEX study_event_of_archive ON public.study_event USING btree (archive_id, sequence);

CREATE INDEX study_fact_looked_at ON public.study_fact USING btree (holding_id, study_uid) WHERE (apart OR mixed);

CREATE INDEX study_fact_shared ON public.study_fact USING btree (holding_id, study_uid) WHERE shared;

CREATE INDEX study_instances ON public.study USING btree (number_of_instances, study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_modalities ON public.study USING gin (modalities);

CREATE INDEX study_page_accession_number ON public.study USING btree (accession_number, study_uid);

CREATE INDEX study_page_accession_number_desc ON public.study USING btree (accession_number DESC NULLS LAST, study_uid);

CREATE INDEX study_page_birth_date ON public.study USING btree (patient_birth_date, study_uid);

CREATE INDEX study_page_birth_date_desc ON public.study USING btree (patient_birth_date DESC NULLS LAST, study_uid);

CREATE INDEX study_page_date ON public.study USING btree (study_date, study_uid);

CREATE INDEX study_page_date_desc ON public.study USING btree (study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_page_description ON public.study USING btree (public.fold(study_description), study_uid);
ALTER INDEX public.study_page_description ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_page_description_desc ON public.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid);

CREATE INDEX study_page_instances ON public.study USING btree (number_of_instances, study_uid);

CREATE INDEX study_page_instances_desc ON public.study USING btree (number_of_instances DESC NULLS LAST, study_uid);

CREATE INDEX study_page_modality ON public.study USING btree ((modalities[1]), study_uid);

CREATE INDEX study_page_modality_desc ON public.study USING btree ((modalities[1]) DESC NULLS LAST, study_uid);

CREATE INDEX study_page_patient_id ON public.study USING btree (patient_id, study_uid);

CREATE INDEX study_page_patient_id_desc ON public.study USING btree (patient_id DESC NULLS LAST, study_uid);

CREATE INDEX study_page_patient_name ON public.study USING btree (public.fold(patient_name), study_uid);
ALTER INDEX public.study_page_patient_name ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_page_patient_name_desc ON public.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid);

CREATE INDEX study_page_series ON public.study USING btree (number_of_series, study_uid);

CREATE INDEX study_page_series_desc ON public.study USING btree (number_of_series DESC NULLS LAST, study_uid);

CREATE INDEX study_page_synced ON public.study USING btree (synced_at, study_uid);

CREATE INDEX study_page_synced_desc ON public.study USING btree (synced_at DESC, study_uid);

CREATE INDEX study_patient_id_like ON public.study USING gin (public.fold(patient_id) public.gin_trgm_ops);
ALTER INDEX public.study_patient_id_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_patient_name_eq ON public.study USING gin (public.name_groups(patient_name));

CREATE INDEX study_patient_name_keys ON public.study USING gin (patient_name_keys) WITH (fastupdate=off);

CREATE INDEX study_patient_name_like ON public.study USING gin (public.fold(patient_name) public.gin_trgm_ops);

CREATE INDEX study_referring_name_eq ON public.study USING gin (public.name_groups(referring_physician_name));

CREATE INDEX study_referring_name_keys ON public.study USING gin (referring_physician_name_keys) WITH (fastupdate=off);

CREATE INDEX study_referring_name_like ON public.study USING gin (public.fold(referring_physician_name) public.gin_trgm_ops);
ALTER INDEX public.study_referring_name_like ALTER COLUMN 1 SET STATISTICS 1000;

CREATE INDEX study_search ON public.study USING gin (search);

CREATE INDEX study_series ON public.study USING btree (number_of_series, study_date DESC NULLS LAST, study_uid);

CREATE INDEX study_shared ON public.study USING btree (study_uid) WHERE shared;

CREATE INDEX study_shared_accession_number ON public.study USING btree (accession_number, study_uid) WHERE shared;

CREATE INDEX study_shared_accession_number_desc ON public.study USING btree (accession_number DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_birth_date ON public.study USING btree (patient_birth_date, study_uid) WHERE shared;

CREATE INDEX study_shared_birth_date_desc ON public.study USING btree (patient_birth_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_date ON public.study USING btree (study_date, study_uid) WHERE shared;

CREATE INDEX study_shared_date_desc ON public.study USING btree (study_date DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_description ON public.study USING btree (public.fold(study_description), study_uid) WHERE shared;

CREATE INDEX study_shared_description_desc ON public.study USING btree (public.fold(study_description) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_id ON public.study USING btree (patient_id, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_id_desc ON public.study USING btree (patient_id DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_patient_name ON public.study USING btree (public.fold(patient_name), study_uid) WHERE shared;

CREATE INDEX study_shared_patient_name_desc ON public.study USING btree (public.fold(patient_name) DESC NULLS LAST, study_uid) WHERE shared;

CREATE INDEX study_shared_synced ON public.study USING btree (synced_at, study_uid) WHERE shared;

CREATE INDEX study_shared_synced_desc ON public.study USING btree (synced_at DESC, study_uid) WHERE shared;

CREATE INDEX study_study_id ON public.study USING btree (study_id);

CREATE INDEX study_study_id_like ON public.study USING gin (public.fold(study_id) public.gin_trgm_ops);

CREATE INDEX study_unindexed ON public.study USING btree (archive_id, study_uid) WHERE (series_synced_at IS NULL);

CREATE INDEX study_value_count_like ON public.study_value_count USING gin (public.fold(value) public.gin_trgm_ops);

CREATE INDEX study_value_of ON public.study_value USING btree (study_pk);

CREATE UNIQUE INDEX study_value_page ON public.study_value USING btree (name, value, study_date DESC NULLS LAST, study_uid, study_pk) NULLS NOT DISTINCT WHERE (NOT shared);

CREATE UNIQUE INDEX study_value_shared ON public.study_value USING btree (name, value, study_date DESC NULLS LAST, study_uid, study_pk, archive_id) NULLS NOT DISTINCT WHERE shared;

CREATE STATISTICS pseudonymised.study_expr_stat ON public.fold(patient_sex) FROM pseudonymised.study;

CREATE STATISTICS pseudonymised.study_value_name_value_stat (mcv) ON name, value FROM pseudonymised.study_value;

CREATE STATISTICS public.study_patient_sex ON public.fold(patient_sex) FROM public.study;

CREATE STATISTICS public.study_value_frequent (mcv) ON name, value FROM public.study_value;

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON jobs.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION jobs.fn_pgqueuer_changed();

CREATE TRIGGER add_values AFTER INSERT ON public.study_value REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.add_values();

CREATE TRIGGER audit_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_event FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER audit_touch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_touch FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();

CREATE TRIGGER rollup_holding_of AFTER INSERT ON public.archive REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION public.hold_archives();

CREATE TRIGGER rollup_without AFTER DELETE ON public.archive FOR EACH STATEMENT EXECUTE FUNCTION public.count_without();

CREATE TRIGGER take_values AFTER DELETE ON public.study_value REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.take_values();

ALTER TABLE ONLY pseudonymised.instance
    ADD CONSTRAINT instance_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.instance(instance_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.series
    ADD CONSTRAINT series_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.series(series_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study_event
    ADD CONSTRAINT study_event_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study
    ADD CONSTRAINT study_source_pk_fkey FOREIGN KEY (source_pk) REFERENCES public.study(study_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study_value
    ADD CONSTRAINT study_value_study_pk_fkey FOREIGN KEY (study_pk) REFERENCES pseudonymised.study(study_pk) ON DELETE CASCADE;

ALTER TABLE ONLY pseudonymised.study_version
    ADD CONSTRAINT study_version_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.archive_definition
    ADD CONSTRAINT archive_definition_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.archive_schedule
    ADD CONSTRAINT archive_schedule_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_archive
    ADD CONSTRAINT cohort_archive_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_archive
    ADD CONSTRAINT cohort_archive_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.cohort_version(version_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_share
    ADD CONSTRAINT cohort_share_cohort_id_fkey FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_study
    ADD CONSTRAINT cohort_study_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_study
    ADD CONSTRAINT cohort_study_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.cohort_version(version_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.cohort_version
    ADD CONSTRAINT cohort_version_cohort_id_fkey FOREIGN KEY (cohort_id) REFERENCES public.cohort(cohort_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.index_run
    ADD CONSTRAINT index_run_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.instance
    ADD CONSTRAINT instance_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.rejected_record
    ADD CONSTRAINT rejected_record_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study
    ADD CONSTRAINT study_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_event
    ADD CONSTRAINT study_event_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_value_count
    ADD CONSTRAINT study_value_count_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_value
    ADD CONSTRAINT study_value_study_pk_fkey FOREIGN KEY (study_pk) REFERENCES public.study(study_pk) ON DELETE CASCADE;

ALTER TABLE ONLY public.study_version
    ADD CONSTRAINT study_version_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.suspicious_removal
    ADD CONSTRAINT suspicious_removal_archive_id_fkey FOREIGN KEY (archive_id) REFERENCES public.archive(archive_id) ON DELETE CASCADE;
