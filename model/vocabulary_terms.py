"""The standard's own codes and defined terms: a table, nothing else. Words of other languages: vocabulary_words.py.

A line: code, defined terms joined by + (- where the standard has none), meaning and after ; other meanings.
Sources: the context groups of PS3.16, as pydicom carries them (pydicom.sr), and Annex L of PS3.16.
tests/model/test_vocabulary.py holds the tables to pydicom.
"""

# SNOMED CT codes (SCT) of CID 4 "Anatomic Region", and those that Annex L "Correspondence of Anatomic Region
# Codes and Body Part Examined Defined Terms" has beyond it. CHEST and THORAX are both "Thorax".
ANATOMIC_REGIONS = """
818981001 ABDOMEN Abdomen
818982008 ABDOMENPELVIS Abdomen and pelvis
7832008 ABDOMINALAORTA Abdominal aorta
85856004 ACJOINT Acromioclavicular joint
23451007 ADRENAL Adrenal gland
77012006 AMNIOTICFLUID Amniotic fluid
70258002 ANKLE Ankle joint
128585006 - Anomalous pulmonary vein
128553008 ANTECUBITALV Antecubital vein
194996006 ANTCARDIACV Anterior cardiac vein
60176003 ACA Anterior cerebral artery
8012006 ANTCOMMA Anterior communicating artery
17388009 ANTSPINALA Anterior spinal artery
68053000 ANTTIBIALA Anterior tibial artery
53505006 - Anus
110612005 ANUSRECTUMSIGMD Anus, rectum and sigmoid colon
15825003 AORTA Aorta
57034009 AORTICARCH Aortic arch
128551005 - Aortic fistula
128564006 - Apex of left ventricle
86598002 - Apex of lung
128565007 - Apex of right ventricle
66754008 APPENDIX Appendix
51114001 ARTERY+ENDOARTERIAL Artery; Endo-arterial
54247002 ASCAORTA Ascending aorta
9040008 ASCENDINGCOLON Ascending colon
59652004 - Atrium
91470000 AXILLA Axilla
67937003 AXILLARYA Axillary artery
68705008 AXILLARYV Axillary vein
72107004 AZYGOSVEIN Azygos vein
77568009 BACK Back
128981007 - Baffle
59011009 BASILARA Basilar artery
28273000 BILEDUCT Bile duct
34707002 BILIARYTRACT Biliary tract
89837001 BLADDER Bladder
110837003 BLADDERURETHRA Bladder and urethra
91830000 - Body conduit
72001000 - Bone of lower limb
371195002 - Bone of upper limb
128548003 - Boyd's perforating vein
17137000 BRACHIALA Brachial artery
20115005 BRACHIALV Brachial vein
12738006 BRAIN Brain
76752008 BREAST Breast
34411009 - Broad ligament
955009 BRONCHUS Bronchus
46862004 BUTTOCK+GLUTEAL Buttock; Gluteal region
80144004 CALCANEUS Calcaneus
53840002 CALF Calf of leg
2334006 - Calyx
69105007 CAROTID Carotid artery
21479005 BULB Carotid bulb
57850000 CELIACA Celiac artery; Truncus coeliacus
20699002 CEPHALICV Cephalic vein
113305005 CEREBELLUM Cerebellum
88556005 CEREBRALA Cerebral artery
372073000 CEREBHEMISPHERE Cerebral hemisphere
122494005 CSPINE Cervical spine
1217257000 CTSPINE Cervico-thoracic spine
71252005 CERVIX Cervix
60819002 CHEEK Cheek; Buccal region of face
416550000 CHESTABDOMEN Chest and abdomen
416775004 CHESTABDPELVIS Chest, abdomen and pelvis
80621003 CHOROIDPLEXUS Choroid plexus
11279006 CIRCLEOFWILLIS Circle of Willis
51299004 CLAVICLE Clavicle
64688005 COCCYX Coccyx
71854001 COLON Colon
253276007 - Common atrium
79741001 COMMONBILEDUCT Common bile duct
32062004 CCA Common carotid artery
181347005 CFA Common femoral artery
397363009 CFV Common femoral vein
73634005 COMILIACA Common iliac artery
46027005 COMILIACV Common iliac vein
45503006 - Common ventricle
128555001 - Congenital coronary artery fistula to left atrium
128556000 - Congenital coronary artery fistula to left ventricle
128557009 - Congenital coronary artery fistula to right atrium
128558004 - Congenital coronary artery fistula to right ventricle
28726007 CORNEA Cornea
41801008 CORONARYARTERY Coronary artery
90219004 CORONARYSINUS Coronary sinus
128320002 - Cranial venous system
32672002 DESCAORTA Descending aorta
32622004 DESCENDINGCOLON Descending colon
128554002 - Dodd's perforating vein
38848004 DUODENUM Duodenum
117590005 EAR Ear
16953009 ELBOW Elbow joint
53342003 ENDONASAL Endo-nasal
18962004 ENDONASOPHARYNYX Endo-nasopharyngeal
59820001 ENDOVASCULAR Endo-vascular
48367006 ENDOVESICAL Endo-vesical
2739003 ENDOMETRIUM Endometrium
38266002 WHOLEBODY Entire body
87644002 EPIDIDYMIS Epididymis
27947004 EPIGASTRIC Epigastric region
110861005 - Esophagus, stomach and duodenum
32849002 ENDOESOPHAGEAL+ESOPHAGUS Esophagus; Endo-esophageal; Intra-esophageal
84301002 EAC External auditory canal
22286001 ECA External carotid artery
113269004 EXTILIACA External iliac artery
63507001 EXTILIACV External iliac vein
71585003 EXTJUGV External jugular vein
66019005 EXTREMITY Extremity
81745001 EYE Eye
371398005 - Eye region
80243003 EYELID Eyelid
89545001 FACE Face
23074001 FACIALA Facial artery
91397008 - Facial bones
7657000 FEMORALA Femoral artery
83419000 FEMORALV Femoral vein
71341001 FEMUR Femur
87342007 FIBULA Fibula
7569003 FINGER Finger
58602004 FLANK Flank
79361005 FONTANEL Fontanel of skull
56459004 FOOT Foot
14975008 FOREARM Forearm
35918002 4THVENTRICLE Fourth ventricle
28231008 GALLBLADDER Gallbladder
110568007 GASTRICV Gastric vein
128559007 GENICULARA Genicular artery
300571009 GESTSAC Gestational sac
5928000 - Great cardiac vein
60734001 GSV Great saphenous vein
85562004 HAND Hand
69536005 HEAD Head
774007 HEADNECK Head and neck
80891009 ENDOCARDIAC+HEART Heart; Endo-cardiac
76015000 HEPATICA Hepatic artery
8993003 HEPATICV Hepatic vein
29836001 - Hip
24136001 HIP Hip joint
85050009 HUMERUS Humerus
128560002 - Hunterian perforating vein
11708003 HYPOGASTRIC+SUPRAPUBIC Hypogastric region; Suprapubic region
81502006 HYPOPHARYNX Hypopharynx
34516001 ILEUM Ileum
299716001 - Iliac and/or femoral artery
10293006 ILIACA Iliac artery
244411005 ILIACV Iliac vein
22356005 ILIUM Ilium
195416006 - Inferior cardiac vein
51249003 - Inferior left pulmonary vein
33795007 INFMESA Inferior mesenteric artery
113273001 - Inferior right pulmonary vein
64131007 INFVENACAVA Inferior vena cava
26893007 INGUINAL Inguinal region
12691009 INNOMINATEA Innominate artery
8887007 INNOMINATEV Innominate vein
361078006 IAC Internal auditory canal
86117002 ICA Internal carotid artery
90024005 INTILIACA Internal iliac artery
12123001 INTJUGULARV Internal jugular vein
69327007 INTMAMMARYA Internal mammary artery
818987002 - Intra-abdominopelvic
131183008 - Intra-articular
816989007 - Intra-pelvic
43799004 - Intra-thoracic
1101003 INTRACRANIAL Intracranial
661005 JAW Jaw region
21306003 JEJUNUM Jejunum
39352004 JOINT Joint
128563000 - Juxtaposed atrial appendage
64033007 ENDORENAL+KIDNEY Kidney; Endo-renal
72696002 KNEE Knee
59749000 LACRIMALA Lacrimal artery
128979005 - Lacrimal artery of right eye
14742008 LARGEINTESTINE Large intestine
4596009 LARYNX Larynx
66720007 LATVENTRICLE Lateral ventricle
82471001 LATRIUM Left atrium
33626005 - Left auricular appendage
113270003 LFEMORALA Left femoral artery
273202007 LHEPATICV Left hepatic vein
133945003 LHYPOCHONDRIAC Left hypochondriac region
85119005 LINGUINAL Left inguinal region
68505006 LLQ Left lower quadrant of abdomen
1017210004 LLUMBAR Left lumbar region
70253006 LPORTALV Left portal vein
50408007 LPULMONARYA Left pulmonary artery
86367003 LUQ Left upper quadrant of abdomen
87878005 LVENTRICLE Left ventricle
70238003 - Left ventricle inflow
13418002 - Left ventricle outflow tract
113264009 LINGUALA Lingual artery
10200004 LIVER Liver
303270005 - Liver and biliary structure
19100000 - Lower inner quadrant of breast
30021000 LOWERLEG Lower leg
61685007 LOWERLIMB Lower limb
33564002 - Lower outer quadrant of breast
34635009 LUMBARA Lumbar artery
52612000 LUMBAR Lumbar region
122496007 LSPINE Lumbar spine
1217253001 LSSPINE Lumbo-sacral spine
91747007 LUMEN Lumen of blood vessel
39607008 LUNG Lung
91609006 MANDIBLE Mandible
59066005 MASTOID Mastoid bone
70925003 MAXILLA Maxilla
72410000 MEDIASTINUM Mediastinum
86570000 MESENTRICA Mesenteric artery
128583004 MESENTRICV Mesenteric vein
17232002 MCA Middle cerebral artery
273099000 MIDHEPATICV Middle hepatic vein
243977002 MORISONSPOUCH Morison's pouch
123851003 MOUTH Mouth
102292000 - Muscle of lower limb
30608006 - Muscle of upper limb
74386004 - Nasal bone
360955006 NASOPHARYNX Nasopharynx
45048000 NECK Neck
417437006 NECKCHEST Neck and chest
416152001 NECKCHESTABDOMEN Neck, chest and abdomen
416319003 NECKCHESTABDPELV Neck, chest, abdomen and pelvis
45206002 NOSE Nose
31145008 OCCPITALA Occipital artery
32114007 OCCIPTALV Occipital vein
113346000 - Omental bursa
27398004 - Omentum
53549008 OPHTHALMICA Ophthalmic artery
55024004 OPTICCANAL Optic canal
363654007 ORBIT Orbital structure
15497006 OVARY Ovary
15776009 PANCREAS Pancreas
69930009 PANCREATICDUCT Pancreatic duct
110621006 PANCBILEDUCT Pancreatic duct and bile duct systems
2095001 - Paranasal sinus
91691001 PARASTERNAL Parasternal
111002 PARATHYROID Parathyroid
45289007 PAROTID Parotid gland
64234005 PATELLA Patella
83330001 - Patent ductus arteriosus
816092008 PELVIS Pelvis
1231522001 PELVISLOWEXTREMT Pelvis and lower extremities
282044005 PENILEA Penile artery
18911002 PENIS Penis
38864007 PERINEUM Perineum
8821006 PERONEALA Peroneal artery
706342009 PHANTOM Phantom
54066008 PHARYNX Pharynx
312535008 PHARYNXLARYNX Pharynx and larynx
78067005 PLACENTA Placenta
43899006 POPLITEALA Popliteal artery
32361000 POPLITEALFOSSA Popliteal fossa
56849005 POPLITEALV Popliteal vein
32764006 PORTALV Portal vein
70382005 PCA Posterior cerebral artery
43119007 POSCOMMA Posterior communicating artery; Posterior communication artery
128569001 - Posterior medial tributary
13363002 POSTIBIALA Posterior tibial artery
14944004 - Primitive aorta
91707000 - Primitive pulmonary artery
31677005 PROFFEMA Profunda femoris artery
23438002 PROFFEMV Profunda femoris vein
41216001 PROSTATE Prostate
111289009 - Pulmonary arteriovenous fistula
81040000 PULMONARYA Pulmonary artery
128584005 - Pulmonary artery conduit
128586007 - Pulmonary chamber of cor triatriatum
122972007 PULMONARYV Pulmonary vein
128566008 - Pulmonary vein confluence
128567004 - Pulmonary venous atrium
45631007 RADIALA Radial artery
62413002 RADIUS Radius
110535000 RADIUSULNA Radius and ulna
53843000 CULDESAC Rectouterine pouch
34402009 ENDORECTAL+RECTUM Rectum; Endo-rectal
2841007 RENALA Renal artery
25990002 - Renal pelvis
56400007 RENALV Renal vein
82849001 RETROPERITONEUM Retroperitoneum
113197003 RIB Rib
73829009 RATRIUM Right atrium
68300000 - Right auricular appendage
69833005 RFEMORALA Right femoral artery
272998002 RHEPATICV Right hepatic vein
133946002 RHYPOCHONDRIAC Right hypochondriac region
37117007 RINGUINAL Right inguinal region
48544008 RLQ Right lower quadrant of abdomen
1017211000 RLUMBAR Right lumbar region
73931004 RPORTALV Right portal vein
78480002 RPULMONARYA Right pulmonary artery
50519007 RUQ Right upper quadrant of abdomen
53085002 RVENTRICLE Right ventricle
8017000 - Right ventricle inflow
44627009 - Right ventricle outflow tract
1217254007 - Sacro-coccygeal spine
39723000 SIJOINT Sacroiliac joint
54735007 SSPINE Sacrum
128587003 SFJ Saphenofemoral junction
362072009 SAPHENOUSV Saphenous vein
41695006 SCALP Scalp
79601000 SCAPULA Scapula
18619003 SCLERA Sclera
20233005 SCROTUM Scrotum
42575006 SELLA Sella turcica
64739004 SEMVESICLE Seminal vesicle
58742003 SESAMOID Sesamoid bones of foot
16982005 SHOULDER Shoulder
60184004 SIGMOID Sigmoid colon
89546000 SKULL Skull
30315005 SMALLINTESTINE Small intestine
2748008 SPINALCORD Spinal cord
421060004 SPINE Spine
78961009 SPLEEN Spleen
22083002 SPLENICA Splenic artery
35819009 SPLENICV Splenic vein
7844006 SCJOINT Sternoclavicular joint
56873002 STERNUM Sternum
69695003 STOMACH Stomach
36765005 SUBCLAVIANA Subclavian artery
9454009 SUBCLAVIANV Subclavian vein
19695001 SUBCOSTAL Subcostal
5713008 - Submandibular area
54019009 SUBMANDIBULAR Submandibular gland
170887008 - Submental
5076001 - Subxiphoid
181349008 SFA Superficial femoral artery
397364003 SFV Superficial femoral vein
15672000 - Superficial temporal artery
43863001 LSUPPULMONARYV Superior left pulmonary vein
42258001 SMA Superior mesenteric artery
8629005 RSUPPULMONARYV Superior right pulmonary vein
72021004 SUPTHYROIDA Superior thyroid artery
48345005 SVC Superior vena cava
77621008 SUPRACLAVICULAR Supraclavicular region of neck
26493002 - Suprasternal notch
128589000 - Systemic collateral artery to lung
128568009 - Systemic venous atrium
27949001 - Tarsal joint
53620006 TMJ Temporomandibular joint
40689003 TESTIS Testis
42695009 THALAMUS Thalamus
68367000 THIGH Thigh
49841001 3RDVENTRICLE Third ventricle
113262008 THORACICAORTA Thoracic aorta
122495006 TSPINE Thoracic spine
1217256009 TLSPINE Thoraco-lumbar spine
816094009 CHEST+THORAX Thorax; Chest
76505004 THUMB Thumb
9875009 THYMUS Thymus
69748006 THYROID Thyroid
12611008 TIBIA Tibia
110536004 TIBIAFIBULA Tibia and fibula
29707007 TOE Toe
21974007 TONGUE Tongue
44567001 TRACHEA Trachea
110726009 TRACHEABRONCHUS Trachea and bronchus
485005 TRANSVERSECOLON Transverse colon
61959006 - Truncus arteriosus communis
23416004 ULNA Ulna
44984001 ULNARA Ulnar artery
50536004 UMBILICALA Umbilical artery
90290004 UMBILICAL Umbilical region
284639000 UMBILICALV Umbilical vein
40983000 UPPERARM Upper arm
77831004 - Upper inner quadrant of breast
53120007 UPPERLIMB Upper limb
76365002 - Upper outer quadrant of breast
431491007 UPRURINARYTRACT Upper urinary tract
87953007 ENDOURETERIC+URETER Ureter; Endo-ureteric
13648007 ENDOURETHRAL+URETHRA Urethra; Endo-urethral
35039007 UTERUS Uterus
110639002 - Uterus and fallopian tubes
76784001 ENDOVAGINAL+VAGINA Vagina; Endo-vaginal
118375008 - Vascular graft
29092000 ENDOVENOUS+VEIN Vein; Endo-venous
35532006 - Vena cava
34340008 - Venous network
21814001 - Ventricle
85234005 VERTEBRALA Vertebral artery
110517009 - Vertebral column and cranium
45292006 VULVA Vulva
74670003 WRIST Wrist joint
13881006 ZYGOMA Zygoma
"""

# DICOM codes (DCM) of CID 33 "Modality", which has all of CID 29 "Acquisition Modality"; the code is the term.
MODALITIES = """
AR AR Autorefraction
ASMT ASMT Content Assessment Result
AU AU Basic Voice Audio
BDUS BDUS Ultrasound Bone Densitometry
BI BI Biomagnetic Imaging
BMD BMD Bone Mineral Densitometry
CFM CFM Confocal Microscopy
CR CR Computed Radiography
CT CT Computed Tomography
CTPROTOCOL CTPROTOCOL CT Protocol
DG DG Diaphanography
DMS DMS Dermoscopy
DOC DOC Document
DX DX Digital Radiography
ECG ECG Electrocardiography
EEG EEG Electroencephalography
EMG EMG Electromyography
EOG EOG Electrooculography
EPS EPS Cardiac Electrophysiology
ES ES Endoscopy
FID FID Spatial Fiducials
GM GM General Microscopy
HC HC Hard Copy
HD HD Hemodynamic Waveform
IO IO Intra-oral Radiography
IOL IOL Intraocular Lens Calculation
IVOCT IVOCT Intravascular Optical Coherence Tomography
IVUS IVUS Intravascular Ultrasound
KER KER Keratometry
KO KO Key Object Selection
LEN LEN Lensometry
LS LS Laser Scan
M3D M3D Model for 3D Manufacturing
MG MG Mammography
MR MR Magnetic Resonance
NM NM Nuclear Medicine
OAM OAM Ophthalmic Axial Measurements
OCT OCT Optical Coherence Tomography
OP OP Ophthalmic Photography
OPM OPM Ophthalmic Mapping
OPT OPT Ophthalmic Tomography
OPTBSV OPTBSV Ophthalmic Tomography B-scan Volume Analysis
OPTENF OPTENF Ophthalmic Tomography En Face
OPV OPV Ophthalmic Visual Field
OSS OSS Optical Surface Scanner
OT OT Other
PA PA Photoacoustic
PLAN PLAN Plan
POS POS Position Sensor
PR PR Presentation State
PT PT Positron emission tomography
PX PX Panoramic X-Ray
REG REG Registration
RESP RESP Respiratory Waveform
RF RF Radiofluoroscopy
RG RG Radiographic imaging
RTDOSE RTDOSE RT Dose
RTIMAGE RTIMAGE RT Image
RTPLAN RTPLAN RT Plan
RTRECORD RTRECORD RT Treatment Record
RTSTRUCT RTSTRUCT RT Structure Set
RWV RWV Real World Value Map
SEG SEG Segmentation
SM SM Slide Microscopy
SMR SMR Stereometric Relationship
SR SR Structured Report Document
SRF SRF Subjective Refraction
STAIN STAIN Automated Slide Stainer
TEXTUREMAP TEXTUREMAP Texture Map
TG TG Thermography
US US Ultrasound
VA VA Visual Acuity
XA XA X-Ray Angiography
XC XC External-camera Photography
"""

# SNOMED CT codes (SCT) of CID 244 "Laterality"; terms of Laterality (0020,0060), and B of Image Laterality.
LATERALITIES = """
7771000 L Left
24028007 R Right
51440002 B Bilateral
66459002 - Unilateral
"""
