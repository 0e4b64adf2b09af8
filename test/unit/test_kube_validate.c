/* What makes other objects than pods wrong, and which changes are refused. Texts are those of
 * Kubernetes 1.32. */
#include "kube/strategy.h"

#include "kube_refused.h"

#define DEPLOYMENT(more)                                                                           \
    "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},"   \
    "'spec':{'containers':[{'name':'c','image':'i'}]}}," more "}}"

static const struct sample workloads[] = {
    {"apps/v1/deployments", DEPLOYMENT("'replicas':1"), NULL, ""},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':-1"), NULL,
     "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments",
     "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','"
     "image':'i'}]}}}}",
     NULL,
     "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string{\"a\":\"b\"}: `selector` does not match template `labels`]"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
     "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for "
     "deployment"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'x':'y'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchExpressions':[{'key':'a','operator':'Near'}]},'template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.selector.matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector "
     "operator"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'type':'Slow'}"), NULL,
     "spec.strategy.type: Unsupported value: \"Slow\": supported values: \"Recreate\", "
     "\"RollingUpdate\""},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'type':'Recreate','rollingUpdate':{'maxSurge':1}}"), NULL,
     "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
     "'Recreate'"},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':0}}"), NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, "
     "IntVal:0, StrVal:\"\"}: may not be 0 when `maxSurge` is 0"},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':'0%'}}"), NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
     "IntVal:0, StrVal:\"0%\"}: may not be 0 when `maxSurge` is 0"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':'x'}}"), NULL,
     "spec.strategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:1, IntVal:0, "
     "StrVal:\"x\"}: a valid percent string must be a numeric string followed by an ending '%' "
     "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxUnavailable':'101%'}}"),
     NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
     "IntVal:0, StrVal:\"101%\"}: must not be greater than 100%"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':-1}}"), NULL,
     "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments", DEPLOYMENT("'minReadySeconds':600"), NULL,
     "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"},
    {"apps/v1/deployments", DEPLOYMENT("'revisionHistoryLimit':-1"), NULL,
     "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'"
     "i'}]}}}}",
     NULL,
     "[spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
     "\"Always\", spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
     "ReplicaSet is not Supported]"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b','-':'"
     "c'}},'spec':{'containers':[]}}}}",
     NULL,
     "[spec.template.labels: Invalid value: \"-\": name part must consist of alphanumeric "
     "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), spec.template.spec.containers: Required value]"},
    {"apps/v1/replicasets",
     "{'spec':{'replicas':-2,'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.replicas: Invalid value: -2: must be greater than or equal to 0, spec.selector: "
     "Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string{\"a\":\"b\"}: `selector` does not match template `labels`]"},
    {"v1/replicationcontrollers",
     "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','"
     "image':'i'}]}}}}",
     NULL, ""},
    {"v1/replicationcontrollers",
     "{'spec':{'selector':{'x':'y'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"v1/replicationcontrollers",
     "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL,
     "spec.selector: Required value"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'c'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'"
     "maxUnavailable':1,'maxSurge':1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, "
     "IntVal:1, StrVal:\"\"}: may not be set when maxUnavailable is non-zero"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'"
     "maxUnavailable':0}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name'"
     ":'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge "
     "is 0"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'type':'Now'},'template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.type: Unsupported value: \"Now\": supported values: \"RollingUpdate\", "
     "\"OnDelete\""},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'podManagementPolicy':'Any','template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'partition':"
     "-1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'"
     "i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or "
     "equal to 0"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'persistentVolumeClaimRetentionPolicy':{'"
     "whenDeleted':'Keep'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": "
     "supported values: \"Retain\", \"Delete\""},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'completions':-1,'template':{'spec':{'containers':"
     "[{'name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.completions: Invalid value: -1: must be greater than or equal to 0, "
     "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"]"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL, ""},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'manualSelector':true,'template':{'spec':{'"
     "restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string(nil): `selector` does not match template `labels`]"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'completionMode':'Indexed','parallelism':1,'"
     "template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     NULL, "spec.completions: Required value: when completion mode is Indexed"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'* * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL, ""},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'nonsense','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'"
     "Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"nonsense\": expected exactly 5 fields, found 1: [nonsense]"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL, "spec.schedule: Required value"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'61 * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'TZ=UTC * * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule, "
     "use timeZone field instead"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','timeZone':'Mars/"
     "Base','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'"
     "name':'c','image':'i'}]}}}}}}",
     NULL, "spec.timeZone: Invalid value: \"Mars/Base\": unknown time zone Mars/Base"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','concurrencyPolicy':'Some','jobTemplate':{'spec':{'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "spec.concurrencyPolicy: Unsupported value: \"Some\": supported values: \"Allow\", "
     "\"Forbid\", \"Replace\""},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','failedJobsHistoryLimit':-1,'jobTemplate':{'spec':{'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL, "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"},
    {"batch/v1/cronjobs",
     "{'metadata':{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'},'spec':{'"
     "schedule':'@daily','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "metadata.name: Invalid value: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": "
     "must be no more than 52 characters"},
};

static const struct sample services[] = {
    {"v1/services", "{'spec':{'ports':[{'port':80}]}}", NULL, ""},
    {"v1/services", "{'spec':{'selector':{'a':'b'}}}", NULL, "spec.ports: Required value"},
    {"v1/services", "{'spec':{'clusterIP':'None'}}", NULL, ""},
    {"v1/services", "{'spec':{'ports':[{'port':0},{'port':80}]}}", NULL,
     "[spec.ports[0].name: Required value, spec.ports[0].port: Invalid value: 0: must be between 1 "
     "and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and "
     "65535, inclusive, spec.ports[1].name: Required value]"},
    {"v1/services", "{'spec':{'type':'Weird','ports':[{'port':80}]}}", NULL,
     "spec.type: Unsupported value: \"Weird\": supported values: \"ClusterIP\", \"ExternalName\", "
     "\"LoadBalancer\", \"NodePort\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'A'}]}}", NULL,
     "spec.ports[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower "
     "case alphanumeric characters or '-', and must start and end with an alphanumeric character "
     "(e.g. 'my-name',  or '123-abc', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':81,'name':'a'}]}}", NULL,
     "spec.ports[1].name: Duplicate value: \"a\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':80,'name':'b'}]}}", NULL,
     "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", "
     "AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, "
     "StrVal:\"\"}, NodePort:0}"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':'Bad_'}]}}", NULL,
     "spec.ports[0].targetPort: Invalid value: \"Bad_\": must contain only alpha-numeric "
     "characters (a-z, 0-9), and hyphens (-)"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':70000}]}}", NULL,
     "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'protocol':'X'}]}}", NULL,
     "spec.ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", "
     "\"UDP\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'nodePort':30000}]}}", NULL,
     "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
    {"v1/services", "{'spec':{'type':'NodePort','ports':[{'port':80,'nodePort':80}]}}", NULL,
     "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The "
     "range of valid ports is 30000-32767"},
    {"v1/services",
     "{'spec':{'type':'NodePort','ports':[{'port':80,'name':'a','nodePort':30001},{'port':81,'name'"
     ":'b','nodePort':30001}]}}",
     NULL, "spec.ports[1].nodePort: Duplicate value: 30001"},
    {"v1/services", "{'spec':{'type':'ExternalName'}}", NULL, "spec.externalName: Required value"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'Bad_'}}", NULL,
     "spec.externalName: Invalid value: \"Bad_\": a lowercase RFC 1123 subdomain must consist of "
     "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
     "character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'a.b.'}}", NULL, ""},
    {"v1/services", "{'spec':{'type':'NodePort','clusterIP':'None','ports':[{'port':80}]}}", NULL,
     "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"},
    {"v1/services", "{'spec':{'sessionAffinity':'Cookie','ports':[{'port':80}]}}", NULL,
     "spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", "
     "\"None\""},
    {"v1/services",
     "{'spec':{'sessionAffinity':'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':"
     "90000}},'ports':[{'port':80}]}}",
     NULL,
     "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater "
     "than 0 and less than 86400"},
    {"v1/services", "{'spec':{'selector':{'-':'b'},'ports':[{'port':80}]}}", NULL,
     "spec.selector: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', "
     "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
     "'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    {"v1/endpoints", "{'subsets':[{'addresses':[{'ip':'10.0.0.1'}],'ports':[{'port':80}]}]}", NULL,
     ""},
    {"v1/endpoints", "{'subsets':[{'ports':[{'port':80}]}]}", NULL,
     "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"},
    {"v1/endpoints",
     "{'subsets':[{'addresses':[{'ip':'ten'}],'ports':[{'port':0},{'port':1,'name':'a'}]}]}", NULL,
     "[subsets[0].addresses[0].ip: Invalid value: \"ten\": must be a valid IP address, (e.g. "
     "10.9.8.7 or 2001:db8::ffff), subsets[0].ports[0].name: Required value, "
     "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive]"},
    {"discovery.k8s.io/v1/endpointslices", "{'addressType':'IPv5','endpoints':[{'addresses':[]}]}",
     NULL,
     "[addressType: Unsupported value: \"IPv5\": supported values: \"FQDN\", \"IPv4\", \"IPv6\", "
     "endpoints[0].addresses: Required value: must contain at least 1 address]"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Prefix','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, ""},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'nolead','pathType':'Exact','"
     "backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].path: Invalid value: \"nolead\": must be an absolute path"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Some','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL,
     "spec.rules[0].http.paths[0].pathType: Unsupported value: \"Some\": supported values: "
     "\"Exact\", \"ImplementationSpecific\", \"Prefix\""},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Exact','backend':{'service':{'name':'s'}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].backend: Required value: port name or number is required"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Exact','backend':{}}]}}]}}",
     NULL,
     "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is "
     "required"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[]}}]}}",
     NULL, "spec.rules[0].http.paths: Required value"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{}}", NULL,
     "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must "
     "be specified"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'bad_host'}]}}", NULL,
     "spec.rules[0].host: Invalid value: \"bad_host\": a lowercase RFC 1123 subdomain must consist "
     "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
     "alphanumeric character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'10.0.0.1'}]}}", NULL,
     "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address"},
    {"networking.k8s.io/v1/networkpolicies",
     "{'spec':{'podSelector':{},'ingress':[{'ports':[{'protocol':'X','port':0}]}]}}", NULL,
     "[spec.ingress[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", "
     "\"TCP\", \"UDP\", spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and "
     "65535, inclusive]"},
};

static const struct sample others[] = {
    {"v1/configmaps", "{'data':{'a':'b'}}", NULL, ""},
    {"v1/configmaps", "{'data':{'a/b':'c'}}", NULL,
     "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric "
     "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
     "validation is '[-._a-zA-Z0-9]+')"},
    {"v1/configmaps", "{'data':{'a':'b'},'binaryData':{'a':'Yg=='}}", NULL,
     "data[a]: Invalid value: \"a\": duplicate of key present in binaryData"},
    {"v1/secrets", "{'data':{'..':'Yg=='}}", NULL,
     "data[..]: Invalid value: \"..\": must not be '..'"},
    {"v1/secrets", "{'type':'kubernetes.io/tls','data':{'k':'YQ=='}}", NULL,
     "[data[tls.crt]: Required value, data[tls.key]: Required value]"},
    {"v1/secrets", "{'type':'kubernetes.io/basic-auth'}", NULL,
     "[data[username]: Required value, data[password]: Required value]"},
    {"v1/secrets", "{'type':'kubernetes.io/ssh-auth'}", NULL,
     "data[ssh-privatekey]: Required value"},
    {"v1/secrets", "{'type':'kubernetes.io/dockerconfigjson'}", NULL,
     "data[.dockerconfigjson]: Required value"},
    {"v1/secrets", "{'type':'kubernetes.io/service-account-token'}", NULL,
     "metadata.annotations[kubernetes.io/service-account.name]: Required value"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'}]}}", NULL, ""},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a'}]}}", NULL,
     "spec.taints[0].effect: Required value"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'Bad'}]}}", NULL,
     "spec.taints[0].effect: Unsupported value: \"Bad\": supported values: \"NoSchedule\", "
     "\"PreferNoSchedule\", \"NoExecute\""},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','value':'a b','effect':'NoExecute'}]}}", NULL,
     "spec.taints[0].value: Invalid value: \"a b\": a valid label must be an empty string or "
     "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
     "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
     "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
    {"v1/nodes",
     "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'},{'key':'a','value':'x','effect':'"
     "NoSchedule'}]}}",
     NULL,
     "spec.taints[1]: Duplicate value: core.Taint{Key:\"a\", Value:\"x\", Effect:\"NoSchedule\", "
     "TimeAdded:<nil>}: taints must be unique by key and effect pair"},
    {"v1/limitranges",
     "{'spec':{'limits':[{'type':'Container','min':{'cpu':'2'},'max':{'cpu':'1'},'defaultRequest':{"
     "'cpu':'2'},'default':{'cpu':'2'}}]}}",
     NULL,
     "[spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1, "
     "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": default request value 2 is greater "
     "than max value 1, spec.limits[0].default[cpu]: Invalid value: \"2\": default value 2 is "
     "greater than max value 1]"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod','default':{'cpu':'1'}}]}}", NULL,
     "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod'},{'type':'Pod'}]}}", NULL,
     "spec.limits[1].type: Duplicate value: \"Pod\""},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'1'}}}", NULL, ""},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'-1'}}}", NULL,
     "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"},
    {"v1/resourcequotas", "{'spec':{'hard':{'count/jobs.batch':'5'}}}", NULL, ""},
    {"v1/resourcequotas", "{'spec':{'hard':{'fish':'1'}}}", NULL,
     "spec.hard[fish]: Invalid value: \"fish\": must be a standard resource for quotas"},
    {"v1/persistentvolumes", "{'spec':{'hostPath':{'path':'/x'}}}", NULL,
     "[spec.accessModes: Required value, spec.capacity: Required value]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}", NULL,
     ""},
    {"v1/persistentvolumeclaims", "{'spec':{}}", NULL,
     "[spec.accessModes: Required value: at least 1 access mode is required, "
     "spec.resources[storage]: Required value]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['Any'],'resources':{'requests':{'storage':'0'}}}}", NULL,
     "[spec.accessModes: Unsupported value: \"Any\": supported values: \"ReadOnlyMany\", "
     "\"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\", spec.resources[storage]: Invalid "
     "value: \"0\": must be greater than zero]"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':''}", NULL, "provisioner: Required value"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':'p','reclaimPolicy':'Keep'}", NULL,
     "reclaimPolicy: Unsupported value: \"Keep\": supported values: \"Delete\", \"Retain\""},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'maxReplicas':0}}", NULL,
     "[spec.maxReplicas: Invalid value: 0: must be greater than 0, spec.maxReplicas: Invalid "
     "value: 0: must be greater than or equal to `minReplicas`]"},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':0,'maxReplicas':1}}", NULL,
     "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':3,'maxReplicas':2}}", NULL,
     "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"},
    {"rbac.authorization.k8s.io/v1/roles",
     "{'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['pods']}]}", NULL, ""},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{}]}", NULL,
     "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: "
     "Required value: resource rules must supply at least one api group, rules[0].resources: "
     "Required value: resource rules must supply at least one resource]"},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}",
     NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: namespaced rules cannot apply to "
     "non-resource URLs"},
    {"rbac.authorization.k8s.io/v1/clusterroles",
     "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}", NULL, ""},
    {"rbac.authorization.k8s.io/v1/clusterroles",
     "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x'],'apiGroups':['']}]}", NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: rules cannot apply to both "
     "regular resources and non-resource URLs"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'r'}}", NULL,
     ""},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Pod','name':''}}", NULL,
     "[roleRef.kind: Unsupported value: \"Pod\": supported values: \"Role\", \"ClusterRole\", "
     "roleRef.name: Required value]"},
    {"rbac.authorization.k8s.io/v1/rolebindings",
     "{'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'Robot','name':'x'}]}", NULL,
     "subjects[0].kind: Unsupported value: \"Robot\": supported values: \"ServiceAccount\", "
     "\"User\", \"Group\""},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings", "{'roleRef':{'kind':'Role','name':'r'}}",
     NULL, "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings",
     "{'roleRef':{'kind':'ClusterRole','name':'r'},'subjects':[{'kind':'ServiceAccount','name':'x'}"
     "]}",
     NULL, "subjects[0].namespace: Required value"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':1000000001}", NULL,
     "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'system-x'},'value':1}", NULL,
     "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system "
     "use only. error: it is not a known system priority class"},
    {"scheduling.k8s.io/v1/priorityclasses",
     "{'metadata':{'name':'system-node-critical'},'value':2000001000}", NULL, ""},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'preemptionPolicy':'Maybe'}",
     NULL,
     "preemptionPolicy: Unsupported value: \"Maybe\": supported values: \"Never\", "
     "\"PreemptLowerPriority\""},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':1}}", NULL, ""},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':'x%'}}", NULL,
     "spec.minAvailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"x%\"}: a "
     "valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
     "'93%', regex used for validation is '[0-9]+%')"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':-1}}", NULL,
     "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'maxUnavailable':'101%'}}", NULL,
     "spec.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"101%\"}: "
     "must not be greater than 100%"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'unhealthyPodEvictionPolicy':'Maybe'}}", NULL,
     "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Maybe\": supported values: "
     "\"AlwaysAllow\", \"IfHealthyBudget\""},
    {"coordination.k8s.io/v1/leases", "{'spec':{'leaseDurationSeconds':0,'leaseTransitions':-1}}",
     NULL,
     "[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: "
     "Invalid value: -1: must be greater than or equal to 0]"},
};

static const struct sample changes[] = {
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'b'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':''}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec.containers[0].image: Required value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'restartPolicy':'Never'}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec: Forbidden: pod updates may not change fields other than "
     "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec."
     "tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
     "(allow it to be set to 1 if it was previously negative)\n  core.PodSpec{\n- \trestartPolicy: "
     "\"Always\",\n+ \trestartPolicy: \"Never\",\n  }\n"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'nodeSelector':{'a':'b'}}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec: Forbidden: pod updates may not change fields other than "
     "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec."
     "tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
     "(allow it to be set to 1 if it was previously negative)\n  core.PodSpec{\n+ \tnodeSelector: "
     "{\"a\":\"b\"},\n  }\n"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec.containers: Forbidden: pod updates may not add or remove containers"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}",
     "spec.activeDeadlineSeconds: Invalid value: 5: must be less than or equal to previous value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}",
     "spec.activeDeadlineSeconds: Invalid value: \"null\": must not update from a positive integer "
     "to nil value"},
    {"v1/pods",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'"
     "Exists'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'"
     "Exists'}]}}",
     "spec.tolerations: Forbidden: existing toleration can not be modified except its "
     "tolerationSeconds"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'app':'web','x':'y'}},'template':{'metadata':{'labels':{'"
     "app':'web','x':'y'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     DEPLOYMENT("'replicas':1"),
     "spec.selector: Invalid value: "
     "v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"web\", \"x\":\"y\"}, "
     "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':3"), DEPLOYMENT("'replicas':1"), ""},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'b','template':{'metadata':{'"
     "labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'a','template':{'metadata':{'"
     "labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
     "'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
     "are forbidden"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'replicas':2,'template':{'metadata':{'labels':{"
     "'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     ""},
    {"batch/v1/jobs",
     "{'spec':{'completions':2,'parallelism':1,'manualSelector':true,'selector':{},'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'completions':1,'parallelism':1,'manualSelector':true,'selector':{},'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     "spec.completions: Invalid value: 2: field is immutable"},
    {"v1/services", "{'spec':{'clusterIP':'10.96.200.1','ports':[{'port':80}]}}",
     "{'spec':{'clusterIP':'10.96.0.9','ports':[{'port':80}]}}",
     "spec.clusterIPs[0]: Invalid value: []string{\"10.96.200.1\"}: may not change once set"},
    {"v1/configmaps", "{'immutable':true,'data':{'k':'w'}}", "{'immutable':true,'data':{'k':'v'}}",
     "data: Forbidden: field is immutable when `immutable` is set"},
    {"v1/configmaps", "{'immutable':false,'data':{'k':'v'}}", "{'immutable':true,'data':{'k':'v'}}",
     "immutable: Forbidden: field is immutable when `immutable` is set"},
    {"v1/secrets", "{'type':'other'}", "{'type':'Opaque'}",
     "type: Invalid value: \"other\": field is immutable"},
    {"v1/nodes", "{'spec':{'podCIDRs':['10.1.0.0/24'],'providerID':'b'}}",
     "{'spec':{'podCIDRs':['10.0.0.0/24'],'providerID':'a'}}",
     "[spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid, "
     "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
     "valid]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteMany'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "spec: Forbidden: spec is immutable after creation except resources.requests and "
     "volumeAttributesClassName for bound claims"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "spec: Forbidden: spec is immutable after creation except resources.requests and "
     "volumeAttributesClassName for bound claims"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}},'status'"
     ":{'phase':'Bound'}}",
     ""},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}},'status'"
     ":{'phase':'Bound','capacity':{'storage':'2Gi'}}}",
     "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"},
    {"storage.k8s.io/v1/storageclasses",
     "{'provisioner':'b','reclaimPolicy':'Retain','parameters':{'a':'b'}}", "{'provisioner':'a'}",
     "[parameters: Forbidden: updates to parameters are forbidden., provisioner: Forbidden: "
     "updates to provisioner are forbidden., reclaimPolicy: Invalid value: \"Retain\": field is "
     "immutable]"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'b'}}",
     "{'roleRef':{'kind':'Role','name':'a'}}",
     "roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", Kind:\"Role\", "
     "Name:\"b\"}: cannot change roleRef"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':2}",
     "{'metadata':{'name':'p'},'value':1}", "value: Forbidden: may not be changed in an update."},
};

static void test_workloads(void **state)
{
    (void)state;
    run(workloads, ARRAY_LEN(workloads));
}

static void test_services(void **state)
{
    (void)state;
    run(services, ARRAY_LEN(services));
}

static void test_others(void **state)
{
    (void)state;
    run(others, ARRAY_LEN(others));
}

static void test_changes(void **state)
{
    (void)state;
    run(changes, ARRAY_LEN(changes));
}

/* More than an object may hold: a value of a mebibyte and a byte. */
static void test_size(void **state)
{
    enum { TOO_MUCH = (1 << 20) + 1 };
    struct kube_change change = {.resource = resource_of("v1/configmaps"),
                                 .doc = kube_json_new(kube_json_heap())};
    yyjson_mut_val *object = object_of(&change, "{'data':{'a':''}}", true);
    yyjson_mut_val *data = kube_json_get(object, "data");
    struct kube_errors errors;
    struct buf text;

    (void)state;
    buf_init(&text);
    for (size_t i = 0; i < TOO_MUCH; i++) {
        buf_append_u8(&text, 'x');
    }
    kube_errors_init(&errors);
    assert_true(yyjson_mut_obj_put(data, yyjson_mut_str(change.doc, "a"),
                                   yyjson_mut_strn(change.doc, (char *)text.data, text.len)));
    kube_strategy_validate(&change, object, &errors);
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.items[0].field, "[]");
    assert_string_equal(errors.items[0].body, "Too long: may not be more than 1048576 bytes");
    kube_errors_fini(&errors);
    buf_fini(&text);
    yyjson_mut_doc_free(change.doc);
}

/* A change of the status leaves alone what is wrong elsewhere. */
static void test_status(void **state)
{
    struct kube_change change = {.resource = resource_of("v1/pods"),
                                 .sub = KUBE_SUB_STATUS,
                                 .doc = kube_json_new(kube_json_heap())};
    yyjson_mut_val *object = object_of(&change, "{'spec':{}}", false);
    struct kube_errors errors;

    (void)state;
    kube_errors_init(&errors);
    kube_strategy_validate_update(&change, object, object, &errors);
    assert_int_equal(errors.count, 0);
    change.sub = KUBE_SUB_NONE;
    kube_strategy_validate_update(&change, object, object, &errors);
    assert_int_equal(errors.count, 1);
    kube_errors_fini(&errors);
    yyjson_mut_doc_free(change.doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workloads), cmocka_unit_test(test_services),
        cmocka_unit_test(test_others),    cmocka_unit_test(test_changes),
        cmocka_unit_test(test_size),      cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
