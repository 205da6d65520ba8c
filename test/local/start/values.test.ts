import { describe, expect, it } from 'vitest';
import { controlPlaneValues } from '../../../local/start/values.ts';

const images = { server: 'localhost/tentacular-server:0.1.0-abc', engine: 'localhost/tentacular-engine:0.1.0-def' };

describe('values for a cluster', () => {
  it('name the images exactly as they were imported, a registry with a port too', () => {
    expect(controlPlaneValues(images)).toEqual({
      image: { repository: 'localhost/tentacular-server', tag: '0.1.0-abc' },
      renderer: { engineImage: 'localhost/tentacular-engine:0.1.0-def' },
    });
    const { image } = controlPlaneValues({ ...images, server: 'registry.example.com:5000/a/server:1' });
    expect(image).toEqual({ repository: 'registry.example.com:5000/a/server', tag: '1' });
  });

  it('shut the API server to contracts and open it to the server, by its address after translation', () => {
    const addresses = {
      podCidrs: ['10.244.0.0/16'],
      serviceCidrs: ['10.96.0.0/16'],
      nodeCidrs: ['172.31.255.0/24'],
      apiServerCidrs: ['172.31.255.1/32', '10.96.0.1/32'],
      apiPort: 6443,
      dns: { podLabels: { 'k8s-app': 'kube-dns' }, port: 53 },
    };
    const { podCidrs, serviceCidrs, nodeCidrs, apiServerCidrs, dns } = addresses;
    expect(controlPlaneValues(images, addresses)).toMatchObject({
      renderer: { podCidrs, serviceCidrs, nodeCidrs, apiServerCidrs, dns },
      networkPolicy: { egress: { enabled: true, apiServer: { cidrs: apiServerCidrs, ports: [6443] } } },
    });
  });
});
