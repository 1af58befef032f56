using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Nbd;

/// <summary>Somebody else's NBD server, from when it can be reached until it is disposed.</summary>
internal sealed class NbdPeer : IDisposable
{
    private readonly RunningProcess process;

    private NbdPeer(RunningProcess process) => this.process = process;

    /// <summary>Starts a server that is there as soon as a file is: its socket, or the one that it writes its number to.</summary>
    internal static NbdPeer Start(string appears, string tool, params string[] arguments)
    {
        Peer.Require(tool);
        var server = new NbdPeer(new RunningProcess(new ProcessStartInfo(tool, arguments)));
        server.process.WaitUntil(() => File.Exists(appears));
        if (server.process.HasExited)
            Assert.Fail(server.process.Wait().ToString());
        return server;
    }

    /// <summary>Starts a server that is there as soon as its port is.</summary>
    internal static NbdPeer StartOnPort(int port, string tool, params string[] arguments)
    {
        Peer.Require(tool);
        var server = new NbdPeer(new RunningProcess(new ProcessStartInfo(tool, arguments)));
        // Not by a connection: the server may take it for its only one.
        server.process.WaitUntil(() => File.ReadLines("/proc/net/tcp").Any(line => line.Contains($" 0100007F:{port:X4} 00000000:0000 0A ", StringComparison.Ordinal)));
        if (server.process.HasExited)
            Assert.Fail(server.process.Wait().ToString());
        return server;
    }

    /// <summary>A port of 127.0.0.1 that nobody has.</summary>
    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public void Dispose() => process.Dispose();
}
