using System.Net.Sockets;

namespace Evidence.Platform;

/// <summary>What goes wrong with HTTP connections.</summary>
internal static class HttpFailure
{
    /// <summary>Whether a connection failed. The framework does not wrap every such error.</summary>
    internal static bool IsOfConnection(Exception e) => e is HttpRequestException or IOException or SocketException;
}
