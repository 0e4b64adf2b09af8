/* Objects and the rows that Kubernetes 1.32 prints of them. Single quotes stand for double ones. */
#ifndef KUBE_PRINTER_ROWS_H
#define KUBE_PRINTER_ROWS_H

/* Objects are ten minutes old. */
#define MADE "'metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:00Z'}"
#define GOING                                                                                      \
    "'metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:00Z',"                           \
    "'deletionTimestamp':'2026-01-01T00:09:00Z'}"

struct row {
    const char *plural;
    const char *object; /* without its braces */
    const char *cells;  /* without their brackets */
};

/* ---- pods ---- */

#define ONE "'spec':{'containers':[{'name':'a'}]}"
#define TWO "'spec':{'containers':[{'name':'a'},{'name':'b'}]}"
#define WITH_INIT                                                                                  \
    "'spec':{'initContainers':[{'name':'i'},{'name':'j'}],'containers':[{'name':'a'}]}"
#define WITH_SIDECAR                                                                               \
    "'spec':{'initContainers':[{'name':'i','restartPolicy':'Always'},{'name':'j'}],"               \
    "'containers':[{'name':'a'}]}"
#define UP   "'ready':true,'state':{'running':{}}"
#define DONE "'state':{'terminated':{'exitCode':0,'reason':'Completed'}}"

struct pod {
    const char *object; /* after the metadata */
    const char *ready;
    const char *status;
    const char *restarts;
};

static const struct pod pods[] = {
    {"'status':{'phase':'Pending'}", "0/0", "Pending", "0"},
    {ONE ",'status':{'phase':'Pending'}", "0/1", "Pending", "0"},
    {ONE ",'status':{'phase':'Failed','reason':'Evicted'}", "0/1", "Evicted", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{" UP "}]}", "1/1", "Running", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{'ready':false,'state':{'running':{}}}"
         "]}",
     "0/1", "Running", "0"},
    {TWO ",'status':{'phase':'Running','containerStatuses':[{" UP "},{" UP "}]}", "2/2", "Running",
     "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{" UP ",'restartCount':3}]}", "1/1",
     "Running", "3"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{" UP ",'restartCount':2,'lastState':{"
         "'terminated':{'finishedAt':'2026-01-01T00:05:00Z'}}}]}",
     "1/1", "Running", "2 (5m ago)"},
    {TWO ",'status':{'phase':'Running','containerStatuses':["
         "{" UP ",'restartCount':2,'lastState':{'terminated':{'finishedAt':'2026-01-01T00:05:00Z'}}"
         "},{" UP ",'restartCount':1,'lastState':{'terminated':{'finishedAt':'2026-01-01T00:09:15Z'"
         "}}}]}",
     "2/2", "Running", "3 (45s ago)"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{" UP ",'restartCount':0,'lastState':{"
         "'terminated':{'finishedAt':'2026-01-01T00:05:00Z'}}}]}",
     "1/1", "Running", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{'restartCount':9,'state':{'waiting':{"
         "'reason':'CrashLoopBackOff'}}}]}",
     "0/1", "CrashLoopBackOff", "9"},
    {ONE ",'status':{'phase':'Pending','containerStatuses':[{'state':{'waiting':{'reason':"
         "'ImagePullBackOff'}}}]}",
     "0/1", "ImagePullBackOff", "0"},
    {ONE ",'status':{'phase':'Pending','containerStatuses':[{'state':{'waiting':{'reason':"
         "'ContainerCreating'}}}]}",
     "0/1", "ContainerCreating", "0"},
    {ONE ",'status':{'phase':'Succeeded','containerStatuses':[{" DONE "}]}", "0/1", "Completed",
     "0"},
    {ONE ",'status':{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':1,"
         "'reason':'Error'}}}]}",
     "0/1", "Error", "0"},
    {ONE ",'status':{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':137,"
         "'reason':'OOMKilled'}}}]}",
     "0/1", "OOMKilled", "0"},
    {ONE ",'status':{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':3}}}"
         "]}",
     "0/1", "ExitCode:3", "0"},
    {ONE ",'status':{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':137,"
         "'signal':9}}}]}",
     "0/1", "Signal:9", "0"},
    {TWO ",'status':{'phase':'Running','containerStatuses':[{" UP "},{" DONE "}]}", "1/2",
     "NotReady", "0"},
    {TWO ",'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}],"
         "'containerStatuses':[{" UP "},{" DONE "}]}",
     "1/2", "Running", "0"},
    {TWO ",'status':{'phase':'Running','containerStatuses':[{" DONE "},{'state':{'waiting':{"
         "'reason':'CrashLoopBackOff'}}}]}",
     "0/2", "Completed", "0"},
    {TWO ",'status':{'phase':'Running','containerStatuses':[{'state':{'waiting':{'reason':'First'}}"
         "},{'state':{'waiting':{'reason':'Second'}}}]}",
     "0/2", "First", "0"},
    {ONE ",'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False',"
         "'reason':'SchedulingGated'}]}",
     "0/1", "SchedulingGated", "0"},
    {ONE ",'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False',"
         "'reason':'Unschedulable'}]}",
     "0/1", "Pending", "0"},
    /* init containers */
    {WITH_INIT ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','state':{"
               "'running':{}}},{'name':'j','state':{'waiting':{'reason':'PodInitializing'}}}]}",
     "0/1", "Init:0/2", "0"},
    {WITH_INIT ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i'," DONE
               "},{'name':'j','state':{'waiting':{'reason':'PodInitializing'}}}]}",
     "0/1", "Init:1/2", "0"},
    {WITH_INIT ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','restartCount':4,"
               "'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
     "0/1", "Init:CrashLoopBackOff", "4"},
    {WITH_INIT ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','restartCount':1,"
               "'lastState':{'terminated':{'finishedAt':'2026-01-01T00:08:00Z'}},"
               "'state':{'terminated':{'exitCode':1,'reason':'Error'}}}]}",
     "0/1", "Init:Error", "1 (2m ago)"},
    {WITH_INIT ",'status':{'phase':'Failed','initContainerStatuses':[{'name':'i','state':{"
               "'terminated':{'exitCode':7}}}]}",
     "0/1", "Init:ExitCode:7", "0"},
    {WITH_INIT ",'status':{'phase':'Failed','initContainerStatuses':[{'name':'i','state':{"
               "'terminated':{'exitCode':137,'signal':9}}}]}",
     "0/1", "Init:Signal:9", "0"},
    {WITH_INIT
     ",'status':{'phase':'Running','initContainerStatuses':[{'name':'i','restartCount':2," DONE
     "},{'name':'j'," DONE "}],'containerStatuses':[{" UP "}]}",
     "1/1", "Running", "0"},
    {WITH_INIT ",'status':{'phase':'Running','conditions':[{'type':'Initialized','status':'True'}],"
               "'initContainerStatuses':[{'name':'i','state':{'running':{}}}],"
               "'containerStatuses':[{" UP ",'restartCount':1}]}",
     "1/1", "Init:0/2", "1"},
    /* init containers that go on */
    {WITH_SIDECAR ",'status':{'phase':'Pending'}", "0/2", "Pending", "0"},
    {WITH_SIDECAR ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','started':true"
                  ",'ready':true,'state':{'running':{}}},{'name':'j','state':{'running':{}}}]}",
     "1/2", "Init:1/2", "0"},
    {WITH_SIDECAR ",'status':{'phase':'Pending','initContainerStatuses':[{'name':'i','started':"
                  "false,'state':{'running':{}}}]}",
     "0/2", "Init:0/2", "0"},
    {WITH_SIDECAR
     ",'status':{'phase':'Running','initContainerStatuses':[{'name':'i','started':true"
     ",'ready':true,'restartCount':2,'lastState':{'terminated':{'finishedAt':"
     "'2026-01-01T00:09:50Z'}},'state':{'running':{}}},{'name':'j','restartCount':5," DONE
     "}],'containerStatuses':[{" UP ",'restartCount':1}]}",
     "2/2", "Running", "3 (10s ago)"},
    /* what does not fit */
    {"'spec':[],'status':'Running'", "0/0", "", "0"},
    {"'spec':{'containers':{'name':'a'}},'status':{'phase':7}", "0/0", "", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[7,null,'x',[],{'restartCount':'many',"
         "'state':{'waiting':'long','terminated':3},'lastState':[]}]}",
     "0/1", "Running", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{'restartCount':18446744073709551615},{"
         "'restartCount':1.5}]}",
     "0/1", "Running", "0"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{'restartCount':1,'lastState':{"
         "'terminated':{'finishedAt':'yesterday'}}}]}",
     "0/1", "Running", "1"},
    {ONE ",'status':{'phase':'Running','containerStatuses':[{'restartCount':1,'lastState':{"
         "'terminated':{'finishedAt':'9999-12-31T23:59:59Z'}}}]}",
     "0/1", "Running", "1 (<invalid> ago)"},
};

/* ---- other kinds ---- */

#define TEMPLATE                                                                                   \
    "'template':{'spec':{'containers':[{'name':'a','image':'i:1'},{'name':'b','image':'j'}]}}"

static const struct row workload_rows[] = {
    {"podtemplates",
     MADE ",'template':{'metadata':{'labels':{'b':'2','a':'1'}},'spec':{'containers':[{'name':'c',"
          "'image':'i'}]}}",
     "'x','c','i','a=1,b=2'"},
    {"podtemplates", MADE, "'x','','','<none>'"},
    {"replicationcontrollers",
     MADE ",'spec':{'replicas':3,'selector':{'app':'w'}," TEMPLATE
          "},'status':{'replicas':2,'readyReplicas':1}",
     "'x',3,2,1,'10m','a,b','i:1,j','app=w'"},
    {"replicationcontrollers", MADE, "'x',0,0,0,'10m','','','<none>'"},
    {"replicasets",
     MADE ",'spec':{'replicas':3,'selector':{'matchLabels':{'b':'2','a':'1'}}," TEMPLATE
          "},'status':{'replicas':3,'readyReplicas':3}",
     "'x',3,3,3,'10m','a,b','i:1,j','a=1,b=2'"},
    {"replicasets",
     MADE ",'spec':{'selector':{'matchExpressions':[{'key':'k','operator':'In','values':['b','a']},"
          "{'key':'e','operator':'Exists'},{'key':'d','operator':'DoesNotExist'}]}}",
     "'x',0,0,0,'10m','','','!d,e,k in (a,b)'"},
    {"replicasets",
     MADE ",'spec':{'selector':{'matchExpressions':[{'key':'k','operator':'Like'}]}}",
     "'x',0,0,0,'10m','','','<error>'"},
    {"replicasets", MADE ",'spec':{'replicas':'3','selector':7}", "'x',0,0,0,'10m','','','<none>'"},
    {"deployments",
     MADE ",'spec':{'replicas':3,'selector':{'matchLabels':{'app':'w'}}," TEMPLATE
          "},'status':{'replicas':4,'updatedReplicas':2,'readyReplicas':1,'availableReplicas':0}",
     "'x','1/3',2,0,'10m','a,b','i:1,j','app=w'"},
    {"deployments", MADE ",'spec':{'selector':{}}", "'x','0/0',0,0,'10m','','',''"},
    {"deployments",
     MADE ",'spec':{'selector':{'matchExpressions':[{'key':'k','operator':'Like'}]}}",
     "'x','0/0',0,0,'10m','','','<invalid>'"},
    {"daemonsets",
     MADE ",'spec':{'selector':{'matchLabels':{'app':'w'}},'template':{'spec':{'nodeSelector':{"
          "'disk':'ssd','a':''},'containers':[{'name':'a','image':'i'}]}}},'status':{"
          "'desiredNumberScheduled':5,'currentNumberScheduled':4,'numberReady':3,"
          "'updatedNumberScheduled':2,'numberAvailable':1}",
     "'x',5,4,3,2,1,'a=,disk=ssd','10m','a','i','app=w'"},
    {"daemonsets", MADE, "'x',0,0,0,0,0,'<none>','10m','','','<none>'"},
    {"statefulsets", MADE ",'spec':{'replicas':3," TEMPLATE "},'status':{'readyReplicas':2}",
     "'x','2/3','10m','a,b','i:1,j'"},
    {"controllerrevisions",
     "'metadata':{'name':'x','ownerReferences':[{'kind':'Other','name':'o'},{'apiVersion':'apps/v1'"
     ",'kind':'DaemonSet','name':'d','controller':true}]},'revision':2",
     "'x','daemonset.apps/d',2,'<unknown>'"},
    {"controllerrevisions",
     "'metadata':{'name':'x','ownerReferences':[{'apiVersion':'v1','kind':'Pod','name':'p',"
     "'controller':true}]},'revision':1",
     "'x','pod/p',1,'<unknown>'"},
    {"controllerrevisions", MADE ",'revision':3", "'x','<none>',3,'10m'"},
    /* batch */
    {"jobs",
     MADE ",'spec':{'completions':3," TEMPLATE "},'status':{'succeeded':1,'startTime':"
          "'2026-01-01T00:01:00Z'}",
     "'x','Running','1/3','9m','10m','a,b','i:1,j','<none>'"},
    {"jobs",
     MADE
     ",'spec':{'completions':1,'selector':{'matchLabels':{'u':'1'}}},'status':{'succeeded':1,"
     "'startTime':'2026-01-01T00:01:00Z','completionTime':'2026-01-01T00:01:07Z','conditions':["
     "{'type':'Complete','status':'True'}]}",
     "'x','Complete','1/1','7s','10m','','','u=1'"},
    {"jobs",
     MADE ",'spec':{'parallelism':5},'status':{'conditions':[{'type':'Failed','status':"
          "'True'},{'type':'FailureTarget','status':'True'}]}",
     "'x','Failed','0/1 of 5','','10m','','','<none>'"},
    {"jobs",
     MADE ",'spec':{'parallelism':1},'status':{'conditions':[{'type':'Suspended','status':"
          "'True'}]}",
     "'x','Suspended','0/1','','10m','','','<none>'"},
    {"jobs",
     MADE ",'status':{'conditions':[{'type':'Suspended','status':'False'},{'type':"
          "'FailureTarget','status':'True'}]}",
     "'x','FailureTarget','0/1','','10m','','','<none>'"},
    {"jobs", GOING ",'status':{'conditions':[{'type':'Suspended','status':'True'}]}",
     "'x','Terminating','0/1','','10m','','','<none>'"},
    {"cronjobs",
     MADE ",'spec':{'schedule':'*/5 * * * *','timeZone':'Etc/UTC','suspend':false,'jobTemplate':{"
          "'spec':{" TEMPLATE "}}},'status':{'active':[{},{}],'lastScheduleTime':"
          "'2026-01-01T00:05:00Z'}",
     "'x','*/5 * * * *','Etc/UTC','False',2,'5m','10m','a,b','i:1,j','<none>'"},
    {"cronjobs", MADE ",'spec':{'suspend':true}",
     "'x','','<none>','True',0,'<none>','10m','','','<none>'"},
    {"cronjobs", MADE, "'x','','<none>','<unset>',0,'<none>','10m','','','<none>'"},
};

static const struct row core_rows[] = {
    {"namespaces", MADE ",'status':{'phase':'Active'}", "'x','Active','10m'"},
    {"namespaces", "'metadata':{'name':'x'}", "'x','','<unknown>'"},
    {"configmaps", MADE ",'data':{'a':'1','b':'2'},'binaryData':{'c':''}", "'x',3,'10m'"},
    {"configmaps", MADE ",'data':['a']", "'x',0,'10m'"},
    {"secrets", MADE ",'type':'Opaque','data':{'a':'MQ=='}", "'x','Opaque',1,'10m'"},
    {"serviceaccounts", MADE ",'secrets':[{'name':'a'}]", "'x',1,'10m'"},
    {"componentstatuses",
     "'metadata':{'name':'x'},'conditions':[{'type':'Healthy','status':'True','message':'ok'}]",
     "'x','Healthy','ok',''"},
    {"componentstatuses",
     "'metadata':{'name':'x'},'conditions':[{'type':'Healthy','status':'False','error':'refused'}]",
     "'x','Unhealthy','','refused'"},
    {"componentstatuses", "'metadata':{'name':'x'}", "'x','Unknown','',''"},
    {"limitranges", MADE, "'x','2026-01-01T00:00:00Z'"},
    {"limitranges", "'metadata':{'name':'x'}", "'x','0001-01-01T00:00:00Z'"},
    {"roles", MADE, "'x','2026-01-01T00:00:00Z'"},
    {"clusterroles", MADE, "'x','2026-01-01T00:00:00Z'"},
    {"resourcequotas",
     MADE ",'status':{'hard':{'requests.cpu':'1','limits.memory':'2Gi','pods':'10','limits.cpu':'2'"
          "},'used':{'pods':'3','limits.cpu':'500m','other':'1'}}",
     "'x','10m','pods: 3/10, requests.cpu: 0/1','limits.cpu: 500m/2, limits.memory: 0/2Gi'"},
    {"resourcequotas", MADE ",'spec':{'hard':{'pods':'1'}}", "'x','10m','',''"},
    {"nodes",
     "'metadata':{'name':'x','creationTimestamp':'2026-01-01T00:00:00Z','labels':{"
     "'node-role.kubernetes.io/worker':'','node-role.kubernetes.io/control-plane':'',"
     "'kubernetes.io/role':'edge','node-role.kubernetes.io/':''}},'status':{'conditions':[{'type':"
     "'MemoryPressure','status':'False'},{'type':'Ready','status':'True'}],'addresses':[{'type':"
     "'Hostname','address':'h'},{'type':'InternalIP','address':'10.0.0.1'},{'type':'ExternalIP',"
     "'address':'1.2.3.4'}],'nodeInfo':{'kubeletVersion':'v1.32.0','osImage':'Debian',"
     "'kernelVersion':'6.1','containerRuntimeVersion':'containerd://2'}}",
     "'x','Ready','control-plane,edge,worker','10m','v1.32.0','10.0.0.1','1.2.3.4','Debian','6.1',"
     "'containerd://2'"},
    {"nodes",
     MADE ",'spec':{'unschedulable':true},'status':{'conditions':[{'type':'Ready','status'"
          ":'Unknown'}]}",
     "'x','NotReady,SchedulingDisabled','<none>','10m','','<none>','<none>','<unknown>',"
     "'<unknown>','<unknown>'"},
    {"nodes", MADE,
     "'x','Unknown','<none>','10m','','<none>','<none>','<unknown>','<unknown>',"
     "'<unknown>'"},
    {"leases", MADE ",'spec':{'holderIdentity':'me'}", "'x','me','10m'"},
    {"runtimeclasses", MADE ",'handler':'runc'", "'x','runc','10m'"},
    /* events */
    {"events",
     MADE
     ",'type':'Normal','reason':'Pulled','message':'  done \\n','count':3,'involvedObject':{"
     "'kind':'Pod','name':'p','fieldPath':'spec.containers{a}'},'source':{'component':'kubelet'"
     ",'host':'n'},'firstTimestamp':'2026-01-01T00:01:00Z','lastTimestamp':"
     "'2026-01-01T00:08:00Z'",
     "'2m','Normal','Pulled','pod/p','spec.containers{a}','kubelet, n','done','9m',3,'x'"},
    {"events",
     MADE ",'firstTimestamp':null,'lastTimestamp':null,'eventTime':'2026-01-01T00:09:00.000000Z',"
          "'reportingComponent':'s','reportingInstance':'s-1','involvedObject':{'kind':'Node'}",
     "'60s','','','node','','s, s-1','','60s',1,'x'"},
    {"events",
     MADE ",'eventTime':'2026-01-01T00:01:00.000000Z','series':{'count':7,'lastObservedTime':"
          "'2026-01-01T00:09:50.000000Z'}",
     "'10s','','','','','','','9m',7,'x'"},
    {"events",
     MADE ",'note':'n','regarding':{'kind':'Pod','name':'p'},'deprecatedCount':2,"
          "'deprecatedLastTimestamp':'2026-01-01T00:09:30Z','deprecatedSource':{'component':'c'}",
     "'30s','','','pod/p','','c','n','<unknown>',2,'x'"},
    {"events", MADE ",'lastTimestamp':'0001-01-01T00:00:00Z','message':7,'count':'x'",
     "'<unknown>','','','','','','','<unknown>',1,'x'"},
};

static const struct row network_rows[] = {
    {"services",
     MADE ",'spec':{'type':'ClusterIP','clusterIP':'10.0.0.1','clusterIPs':['10.0.0.1','::1'],"
          "'ports':[{'port':80,'protocol':'TCP'},{'port':53,'protocol':'UDP'}],'selector':{'a':'b'}"
          "}",
     "'x','ClusterIP','10.0.0.1','<none>','80/TCP,53/UDP','10m','a=b'"},
    {"services",
     MADE ",'spec':{'type':'NodePort','clusterIP':'10.0.0.1','ports':[{'port':80,'nodePort':30080,"
          "'protocol':'TCP'}],'externalIPs':['1.1.1.1','2.2.2.2']}",
     "'x','NodePort','10.0.0.1','1.1.1.1,2.2.2.2','80:30080/TCP','10m','<none>'"},
    {"services", MADE ",'spec':{'type':'LoadBalancer','clusterIP':'10.0.0.1'}",
     "'x','LoadBalancer','10.0.0.1','<pending>','<none>','10m','<none>'"},
    {"services",
     MADE ",'spec':{'type':'LoadBalancer','clusterIPs':['10.0.0.1'],'externalIPs':['9.9.9.9']},"
          "'status':{'loadBalancer':{'ingress':[{'ip':'2.2.2.2'},{'hostname':'b.example'},{'ip':"
          "'1.1.1.1','hostname':'no'},{'ip':'2.2.2.2'}]}}",
     "'x','LoadBalancer','10.0.0.1','1.1.1.1,2.2.2.2,b.example,9.9.9.9','<none>','10m','<none>'"},
    {"services", MADE ",'spec':{'type':'ExternalName','externalName':'example.org'}",
     "'x','ExternalName','<none>','example.org','<none>','10m','<none>'"},
    {"services", MADE ",'spec':{'type':'ClusterIP','clusterIP':'None'}",
     "'x','ClusterIP','None','<none>','<none>','10m','<none>'"},
    {"services", MADE ",'spec':{'type':3}", "'x','','<none>','<unknown>','<none>','10m','<none>'"},
    {"ingresses",
     MADE ",'spec':{'ingressClassName':'nginx','tls':[{}],'rules':[{'host':'a'},{'host':'b'}]},"
          "'status':{'loadBalancer':{'ingress':[{'hostname':'a-very-long-name.example.org'}]}}",
     "'x','nginx','a,b','a-very-long-name.example.org','80, 443','10m'"},
    {"ingresses",
     MADE ",'spec':{'rules':[{'host':'a'},{},{'host':'b'},{'host':'c'},{'host':'d'},{}]}",
     "'x','<none>','a,b,c + 3 more...','','80','10m'"},
    {"ingresses", MADE ",'spec':{'rules':[{}]}", "'x','<none>','*','','80','10m'"},
    {"ingressclasses",
     MADE ",'spec':{'controller':'example.com/c','parameters':{'apiGroup':'k8s.example.com','kind':"
          "'P','name':'n'}}",
     "'x','example.com/c','P.k8s.example.com/n','10m'"},
    {"ingressclasses", MADE ",'spec':{'controller':'c','parameters':{'kind':'P','name':'n'}}",
     "'x','c','P/n','10m'"},
    {"ingressclasses", MADE ",'spec':{'controller':'c'}", "'x','c','<none>','10m'"},
    {"networkpolicies", MADE ",'spec':{'podSelector':{'matchLabels':{'a':'b'}}}",
     "'x','a=b','10m'"},
    {"networkpolicies", MADE ",'spec':{'podSelector':{}}", "'x','<none>','10m'"},
    {"endpoints",
     MADE ",'subsets':[{'addresses':[{'ip':'10.0.0.1'},{'ip':'10.0.0.2'}],'ports':[{'port':80},{"
          "'port':443}]}]",
     "'x','10.0.0.1:80,10.0.0.2:80,10.0.0.1:443 + 1 more...','10m'"},
    {"endpoints", MADE ",'subsets':[{'addresses':[{'ip':'::1'}],'ports':[{'port':80}]}]",
     "'x','[::1]:80','10m'"},
    {"endpoints", MADE ",'subsets':[{'addresses':[{'ip':'10.0.0.1'}]}]", "'x','10.0.0.1','10m'"},
    {"endpoints", MADE, "'x','<none>','10m'"},
    {"endpoints",
     MADE ",'subsets':[{'notReadyAddresses':[{'ip':'10.0.0.1'}],'ports':[{'port':80}]}"
          "]",
     "'x','','10m'"},
    {"endpointslices",
     MADE ",'addressType':'IPv4','ports':[{'port':80},{'name':'web','port':null},{'port':null}],"
          "'endpoints':[{'addresses':['10.0.0.1']},{'addresses':['10.0.0.2','10.0.0.3']},{"
          "'addresses':['10.0.0.4']},{'addresses':['10.0.0.5']}]",
     "'x','IPv4','80,web,*','10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...','10m'"},
    {"endpointslices", MADE ",'addressType':'IPv6','endpoints':null",
     "'x','IPv6','<unset>','<unset>','10m'"},
};

static const struct row storage_rows[] = {
    {"persistentvolumes",
     MADE ",'spec':{'capacity':{'storage':'1Gi'},'accessModes':['ReadOnlyMany','ReadWriteOnce',"
          "'ReadOnlyMany'],'persistentVolumeReclaimPolicy':'Retain','claimRef':{'namespace':'d',"
          "'name':'c'},'storageClassName':'fast','volumeMode':'Filesystem'},'status':{'phase':"
          "'Bound'}",
     "'x','1Gi','RWO,ROX','Retain','Bound','d/c','fast','<unset>','','10m','Filesystem'"},
    {"persistentvolumes",
     MADE ",'spec':{'accessModes':['ReadWriteOncePod','ReadWriteMany'],'volumeAttributesClassName':"
          "'gold'},'status':{'phase':'Failed','reason':'why'}",
     "'x','0','RWX,RWOP','','Failed','','','gold','why','10m','<unset>'"},
    {"persistentvolumes", GOING ",'status':{'phase':'Bound'}",
     "'x','0','','','Terminating','','','<unset>','','10m','<unset>'"},
    {"persistentvolumeclaims",
     MADE ",'spec':{'volumeName':'v','storageClassName':'fast','volumeMode':'Block','accessModes':["
          "'ReadWriteMany']},'status':{'phase':'Bound','capacity':{'storage':'5Gi'},'accessModes':["
          "'ReadWriteOnce']}",
     "'x','Bound','v','5Gi','RWO','fast','<unset>','10m','Block'"},
    {"persistentvolumeclaims",
     MADE ",'spec':{'resources':{'requests':{'storage':'5Gi'}}},'status':{'phase':'Pending'}",
     "'x','Pending','','','','','<unset>','10m','<unset>'"},
    {"persistentvolumeclaims",
     "'metadata':{'name':'x','annotations':{'volume.beta.kubernetes.io/storage-class':'old'}},"
     "'spec':{'storageClassName':'new'}",
     "'x','','','','','old','<unset>','<unknown>','<unset>'"},
    {"storageclasses",
     "'metadata':{'name':'x','annotations':{'storageclass.kubernetes.io/is-default-class':'true'}},"
     "'provisioner':'p','reclaimPolicy':'Retain','volumeBindingMode':'WaitForFirstConsumer',"
     "'allowVolumeExpansion':true",
     "'x (default)','p','Retain','WaitForFirstConsumer',true,'<unknown>'"},
    {"storageclasses", MADE ",'provisioner':'p'", "'x','p','Delete','Immediate',false,'10m'"},
    {"csidrivers", MADE, "'x',true,false,false,'<unset>',false,'<none>','10m'"},
    {"csidrivers",
     MADE ",'spec':{'attachRequired':false,'podInfoOnMount':true,'storageCapacity':true,"
          "'tokenRequests':[{'audience':'a'},{'audience':'b'}],'requiresRepublish':true,"
          "'volumeLifecycleModes':['Persistent','Ephemeral']}",
     "'x',false,true,true,'a,b',true,'Persistent,Ephemeral','10m'"},
    {"csinodes", MADE ",'spec':{'drivers':[{},{}]}", "'x',2,'10m'"},
    {"csistoragecapacities", MADE ",'storageClassName':'s','capacity':'1Gi'", "'x','s','1Gi'"},
    {"csistoragecapacities", MADE, "'x','','<unset>'"},
    {"volumeattachments",
     MADE ",'spec':{'attacher':'a','nodeName':'n','source':{'persistentVolumeName':'v'}},'status':{"
          "'attached':true}",
     "'x','a','v','n',true,'10m'"},
};

#define TARGET "'scaleTargetRef':{'kind':'Deployment','name':'d'},'maxReplicas':5"

static const struct row policy_rows[] = {
    {"poddisruptionbudgets", MADE ",'spec':{'minAvailable':2},'status':{'disruptionsAllowed':1}",
     "'x','2','N/A',1,'10m'"},
    {"poddisruptionbudgets", MADE ",'spec':{'maxUnavailable':'25%'}", "'x','N/A','25%',0,'10m'"},
    {"priorityclasses", MADE ",'value':1000,'globalDefault':true,'preemptionPolicy':'Never'",
     "'x',1000,true,'10m','Never'"},
    {"priorityclasses", MADE ",'value':-1", "'x',-1,false,'10m',''"},
    {"flowschemas",
     MADE ",'spec':{'priorityLevelConfiguration':{'name':'p'},'matchingPrecedence':100,"
          "'distinguisherMethod':{'type':'ByUser'}},'status':{'conditions':[{'type':'Dangling',"
          "'status':'False'}]}",
     "'x','p',100,'ByUser','10m','False'"},
    {"flowschemas", MADE, "'x','',0,'<none>','10m','?'"},
    {"prioritylevelconfigurations",
     MADE ",'spec':{'type':'Limited','limited':{'nominalConcurrencyShares':5,'limitResponse':{"
          "'type':'Queue','queuing':{'queues':64,'handSize':6,'queueLengthLimit':50}}}}",
     "'x','Limited',5,64,6,50,'10m'"},
    {"prioritylevelconfigurations",
     MADE ",'spec':{'type':'Limited','limited':{'nominalConcurrencyShares':5,'limitResponse':{"
          "'type':'Reject'}}}",
     "'x','Limited',5,'<none>','<none>','<none>','10m'"},
    {"prioritylevelconfigurations", MADE ",'spec':{'type':'Exempt','exempt':{}}",
     "'x','Exempt','<none>','<none>','<none>','<none>','10m'"},
    {"rolebindings",
     MADE ",'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'User','name':'u'},{'kind':"
          "'ServiceAccount','namespace':'n','name':'s'},{'kind':'Group','name':'g'},{'kind':'User',"
          "'name':'v'},{'kind':'Robot','name':'z'}]",
     "'x','Role/r','10m','u, v','g','n/s'"},
    {"clusterrolebindings", MADE ",'roleRef':{'kind':'ClusterRole','name':'r'}",
     "'x','ClusterRole/r','10m','','',''"},
    {"certificatesigningrequests",
     MADE ",'spec':{'signerName':'s','username':'u','expirationSeconds':3600},'status':{"
          "'conditions':[{'type':'Approved'}],'certificate':'YQ=='}",
     "'x','10m','s','u','60m','Approved,Issued'"},
    {"certificatesigningrequests", MADE, "'x','10m','<none>','','<none>','Pending'"},
    {"certificatesigningrequests",
     MADE ",'status':{'conditions':[{'type':'Approved'},{'type':'Denied'},{'type':'Failed'}]}",
     "'x','10m','<none>','','<none>','Denied,Failed'"},
    {"mutatingwebhookconfigurations", MADE ",'webhooks':[{},{}]", "'x',2,'10m'"},
    {"validatingwebhookconfigurations", MADE, "'x',0,'10m'"},
    {"validatingadmissionpolicies",
     MADE ",'spec':{'validations':[{}],'paramKind':{'apiVersion':'v1','kind':'ConfigMap'}}",
     "'x',1,'v1/ConfigMap','10m'"},
    {"validatingadmissionpolicies", MADE, "'x',0,'<unset>','10m'"},
    {"validatingadmissionpolicybindings",
     MADE ",'spec':{'policyName':'p','paramRef':{'name':'n','namespace':'ns'}}",
     "'x','p','ns/n','10m'"},
    {"validatingadmissionpolicybindings", MADE ",'spec':{'policyName':'p','paramRef':{'name':'n'}}",
     "'x','p','*/n','10m'"},
    {"validatingadmissionpolicybindings",
     MADE ",'spec':{'paramRef':{'selector':{'matchLabels':{'b':'2','a':'1'},'matchExpressions':[{"
          "'key':'k','operator':'In','values':['v','w']}]}}}",
     "'x','','&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:"
     "[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[v w],},},}',"
     "'10m'"},
    {"validatingadmissionpolicybindings", MADE, "'x','','<unset>','10m'"},
    /* autoscalers */
    {"horizontalpodautoscalers", MADE ",'spec':{" TARGET "}",
     "'x','Deployment/d','<none>','<unset>',5,0,'10m'"},
    {"horizontalpodautoscalers",
     MADE
     ",'spec':{" TARGET ",'minReplicas':2,'metrics':[{'type':'Resource','resource':{'name':"
     "'cpu','target':{'averageUtilization':80}}}]},'status':{'currentReplicas':3,"
     "'currentMetrics':[{'type':'Resource','resource':{'current':{'averageUtilization':50}}}]}",
     "'x','Deployment/d','cpu: 50%/80%','2',5,3,'10m'"},
    {"horizontalpodautoscalers",
     MADE ",'spec':{" TARGET ",'metrics':[{'type':'Resource','resource':{'name':'memory','target':{"
          "'averageValue':'1Gi'}}},{'type':'Pods','pods':{'target':{'averageValue':'10'}}},{'type':"
          "'Pods'},{'type':'Pods'}]},'status':{'currentMetrics':[{'resource':{'current':{"
          "'averageValue':'512Mi'}}}]}",
     "'x','Deployment/d','memory: 512Mi/1Gi, <unknown>/10 + 2 more...','<unset>',5,0,'10m'"},
    {"horizontalpodautoscalers",
     MADE ",'spec':{" TARGET ",'metrics':[{'type':'External','external':{'target':{'averageValue':"
          "'5'}}},{'type':'Object','object':{'target':{'value':'7'}}}]},'status':{'currentMetrics':"
          "[{'external':{'current':{'averageValue':'2'}}},{'object':{'current':{'value':'1'}}}]}",
     "'x','Deployment/d','2/5 (avg), 1/7','<unset>',5,0,'10m'"},
    {"horizontalpodautoscalers",
     MADE ",'spec':{" TARGET ",'metrics':[{'type':'ContainerResource','containerResource':{'name':"
          "'cpu','target':{'averageUtilization':60}}},{'type':'Magic'}]}",
     "'x','Deployment/d','cpu: <unknown>/60%, <unknown type>','<unset>',5,0,'10m'"},
    {"horizontalpodautoscalers",
     MADE ",'spec':{" TARGET ",'targetCPUUtilizationPercentage':80},'status':{"
          "'currentCPUUtilizationPercentage':12}",
     "'x','Deployment/d','cpu: 12%/80%','<unset>',5,0,'10m'"},
};

#endif
